/** Examples of every command, as `--help` and docs/cli.md show them. */
import type { Command } from 'commander';

const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  login: ['login https://databridge.example < token'],
  logout: ['logout'],
  whoami: ['whoami'],
  'sessions list': ['sessions list'],
  'sessions link': ['sessions link'],
  'sessions revoke': ['sessions revoke ses_1'],
  'subscriptions list': ['subscriptions list', 'subscriptions list -o json'],
  'subscriptions get': ['subscriptions get acme > acme.yaml'],
  'subscriptions export': ['subscriptions export > all.yaml', 'subscriptions export acme globex'],
  'subscriptions fields': ['subscriptions fields'],
  'subscriptions apply': ['subscriptions apply -f subscriptions/', 'subscriptions apply -f acme.yaml --yes'],
  'subscriptions diff': ['subscriptions diff -f subscriptions/'],
  'subscriptions delete': ['subscriptions delete acme --waiting keep'],
  'subscriptions try-filter': [
    'subscriptions try-filter acme -f event.json',
    'subscriptions try-filter -f event.json --filter \'event.summary.folder == "Support"\'',
  ],
  apply: ['apply -f subscriptions/', 'apply -f subscriptions/ --prune --waiting keep --yes'],
  pause: ['pause acme globex'],
  resume: ['resume acme'],
  disable: ['disable acme'],
  enable: ['enable acme'],
  rewind: ['rewind acme --to-time 24h --dry-run', 'rewind acme --to-offset 1200', 'rewind acme --to-earliest --yes'],
  redeliver: ['redeliver acme --event evt_1', 'redeliver acme --from 2h --to 1h --dry-run'],
  redrive: ['redrive acme --reason refused', 'redrive --quarantine --reason unknown-schema'],
  test: ['test acme'],
  rehearse: ['rehearse acme', 'rehearse acme -o json'],
  produce: ['produce -f event.json', 'produce -f event.json --event-id trial-1 --wait 5m'],
  listen: ['listen --port 9000 --secret whsec_…', 'listen --status 500 --retry-after 5'],
  status: ['status', 'status acme', 'status --watch --interval 5s'],
  workers: ['workers'],
  attempts: ['attempts acme --outcome refused --from 24h', 'attempts acme --event evt_1'],
  'events list': ['events list acme --state held', 'events list acme --from 24h --to 1h'],
  'events get': ['events get acme evt_1'],
  'events find': ['events find evt_1'],
  'events content': ['events content acme evt_1'],
  series: ['series acme --step 1h'],
  tail: ['tail acme', 'tail -o json | jq .outcome'],
  reconcile: ['reconcile', 'reconcile acme --from 24h'],
  explain: ['explain acme', 'explain root-cause.events/0/17', 'explain evt_1 --from 7d'],
  health: ['health', 'health -o json'],
  facts: ['facts'],
  'event-types': ['event-types', 'event-types root-cause'],
  doctor: ['doctor', 'doctor -o json'],
  audit: ['audit --customer acme', 'audit -o yaml --limit 1'],
  'dead-letters list': ['dead-letters list acme'],
  'dead-letters get': ['dead-letters get acme evt_1'],
  'dead-letters redrive': ['dead-letters redrive acme evt_1', 'dead-letters redrive acme --reason refused'],
  'dead-letters discard': ['dead-letters discard acme evt_1', 'dead-letters discard acme --all'],
  'quarantine list': ['quarantine list'],
  'quarantine open': ['quarantine open root-cause.events/0/17'],
  'quarantine redrive': ['quarantine redrive --reason unknown-schema --dry-run'],
  'quarantine discard': ['quarantine discard root-cause.events/0/17'],
  erase: ['erase --request-id 1f0f6c0e-3c7d-4f0e-9c35-0d9b2b1b7c11 --dry-run'],
  'operations list': ['operations list --state running'],
  'operations get': ['operations get op_1'],
  'operations watch': ['operations watch op_1'],
  'keys generate': ['keys generate --directory keys', 'keys generate --directory keys --name 2026-02'],
  'keys rotate': ['keys rotate --keys-file keys/delivery.keys'],
  invite: [
    "invite acme --setup --company 'ACME Corporation' --host '*.acme.example'",
    "invite acme --setup --company 'ACME Corporation' --folder Support --filter 'has(event.summary)' --section summary",
    "invite acme --secret authentication.key --reason 'It expires on 1 March' --life 24h",
  ],
  'invitations list': ['invitations list'],
  'invitations renew': ['invitations renew inv_1'],
  'invitations revoke': ['invitations revoke inv_1'],
  approvals: ['approvals'],
  approve: ['approve acme'],
  decline: ['decline acme'],
  'secrets list': ['secrets list acme'],
  'secrets set': ['secrets set acme authentication.key --overlap 24h < key'],
  'secrets end-fallback': ['secrets end-fallback acme authentication.key'],
  'certificates request': [
    'certificates request acme > acme.csr',
    'certificates request acme --common-name databridge.example',
  ],
  'certificates get': ['certificates get acme > acme.csr'],
  'certificates set': ['certificates set acme -f acme.crt'],
  'tokens generate': [
    'tokens generate --name ann --role operator',
    'tokens generate --name acme-ci --role customer --customer acme',
  ],
  'topics create': ['topics create'],
  completion: ['completion bash > ~/.local/share/bash-completion/completions/databridge'],
};

/** @param path such as `subscriptions get` @returns with the name of the program in front */
export const examplesOf = (path: string): readonly string[] => (EXAMPLES[path] ?? []).map((one) => `databridge ${one}`);

/** Adds them to the help of each command. */
export function addExamples(parent: Command, before: readonly string[] = []): void {
  for (const command of parent.commands) {
    const path = [...before, command.name()];
    addExamples(command, path);
    const examples = examplesOf(path.join(' '));
    if (examples.length === 0) continue;
    const heading = examples.length === 1 ? 'Example' : 'Examples';
    command.addHelpText('after', `\n${heading}:\n${examples.map((one) => `  ${one}`).join('\n')}`);
  }
}
