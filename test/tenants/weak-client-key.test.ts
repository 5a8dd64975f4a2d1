/** Hostile tenant: a client certificate that TLS can't be spoken with. `tls.connect` throws for it. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseKeySet } from '@databridge/kernel/secrets/key-set';
import { SealingDesk } from '@databridge/kernel/secrets/sealing-desk';
import { decodeStatus } from '@databridge/schemas/records/status';
import { customerTopics, STATUS_TOPIC } from '@databridge/schemas/records/topics';
import { mapSecretsAsync } from '@databridge/schemas/subscription/secret-places';
import { parseSubscription } from '@databridge/schemas/subscription/subscription';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { SteadyLoad } from '../harness/load/steady-load.ts';
import { METERED } from '../harness/load/turns.ts';
import { Receiver } from '../harness/receiver.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'databridge-tenants-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

/** @param key arguments of `openssl genpkey` */
function identity(name: string, key: string[]): { clientCertificate: string; clientKey: string } {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'ignore' });
  openssl('genpkey', ...key, '-out', `${name}.key`);
  openssl('req', '-x509', '-new', '-key', `${name}.key`, '-days', '90', '-subj', '/CN=x', '-out', `${name}.crt`);
  const read = (file: string) => readFileSync(join(dir, file), 'utf8');
  return { clientCertificate: read(`${name}.crt`), clientKey: read(`${name}.key`) };
}

test('a weak client key is refused when it is saved; written past that, it holds its customer and nobody else', async () => {
  const stage = await Stage.start({ delivery: METERED });
  const receiver = await Receiver.start();
  const url = receiver.url.replace('http:', 'https:');
  const identities = {
    rsa: identity('rsa', ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024']),
    curve: identity('curve', ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:secp160r1']),
  };
  const healthy = await SteadyLoad.start(stage);
  const customers: string[] = [];

  for (const [kind, tls] of Object.entries(identities)) {
    const customer = freshName(`weak-${kind}`);
    customers.push(customer);
    await expect(stage.subscribe(customer, url, { tls })).rejects.toThrow(/: 422 .*too weak: use RSA/);
    await writeToTopic(stage, customer, url, tls);
  }
  await stage.fanOutKnowsAll();
  const events = customers.flatMap((company) => Array.from({ length: 500 }, () => rootCauseEvent({ company })));
  await stage.upstream.produce(events);

  const compared = await healthy.compare(
    {
      async begin() {
        for (const customer of customers) await (await stage.api()).act(customer, 'resume');
        for (const customer of customers) {
          const status = await eventually(
            () => lastStatusOf(stage, customer),
            (found) => found?.held !== undefined,
          );
          expect(status?.held).toMatchObject({ because: 'blocked', detail: expect.stringContaining('too weak') });
        }
      },
      end: () => stage.pause(customers),
    },
    stage.delivery,
  );

  expect(compared).toEqual({ ...compared, isWithinBounds: true });
  expect(receiver.requests).toEqual([]);
  expect(await stage.delivery.metrics()).toContain('databridge_delivery');
  expect(stage.delivery.otherOutput).toEqual([]);
}, 300_000);

/** As an older version, which did not judge client keys, could have saved it. */
async function writeToTopic(stage: Stage, customer: string, url: string, tls: object): Promise<void> {
  const { operations } = stage;
  const parsed = parseSubscription({
    ...{ customer, eventTypes: ['root-cause'], match: { company: [customer] }, tls },
    ...{ destination: { type: 'http', url }, state: 'paused' },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  const desk = new SealingDesk(parseKeySet(stage.keys));
  const after = await mapSecretsAsync(parsed.subscription, (secret, place) => desk.seal(secret, { customer, place }));
  await operations.admin.ensureTopics(customerTopics(customer, operations.retryDelays));
  await operations.commit([{ what: 'create', customer, before: undefined, after }]);
}

async function lastStatusOf(stage: Stage, customer: string) {
  const records = await stage.read(STATUS_TOPIC);
  const last = records.filter(({ key }) => key?.toString() === customer).at(-1);
  return last?.value ? decodeStatus(last.value) : undefined;
}
