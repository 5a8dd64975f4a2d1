/**
 * A real Prometheus and Alertmanager over metrics that a test writes: a cause holds its consequences back, whatever the
 * order in which they begin, and what customers seem to do wrong is held back while a fault of ours explains it.
 */
import { createServer, type Server } from 'node:http';
import { hasMonitoring, Monitoring } from '../harness/ops/monitoring.ts';

/** Debian's packages `prometheus` and `prometheus-alertmanager`; .ci/run installs them. */
const run = hasMonitoring ? test : test.skip;

let monitoring: Monitoring;
let server: Server;
let metrics: readonly string[] = [];

const WELL = [
  'databridge_build_info{component="control-plane",version="1"} 1',
  'databridge_control_plane_is_writer 1',
  'databridge_ready{component="fan-out",reason="ready"} 1',
  'databridge_customers{state="active"} 10',
  'databridge_delivery_customers 10',
];

beforeAll(async () => {
  if (!hasMonitoring) return;
  server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4').end(`${metrics.join('\n')}\n`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  metrics = WELL;
  monitoring = await Monitoring.start([`127.0.0.1:${(server.address() as { port: number }).port}`]);
});
afterAll(async () => {
  await monitoring?.stop();
  server?.close();
});
beforeEach(() => monitoring?.notified.splice(0));

const told = () => [...new Set(monitoring.notified.map(({ receiver, name }) => `${receiver}: ${name}`))].sort();

run('the registry is away: fan-out that is not ready for it wakes nobody by itself', async () => {
  metrics = [
    ...WELL.filter((line) => !line.includes('databridge_ready')),
    'databridge_registry_waiting{component="fan-out"} 1',
    'databridge_ready{component="fan-out",reason="the schema registry is not reachable"} 0',
  ];
  await monitoring.told('page', 'RegistryUnreachable');
  await monitoring.firing('FanOutAbsent');
  await monitoring.firing('ServiceNotReady');
  metrics = WELL;
  await monitoring.allResolved();
  expect(told()).toEqual(['page: RegistryUnreachable']);
});

run('many customers fail at once: support is not told of each, whoever is on call is told of all', async () => {
  const failing = Array.from(
    { length: 5 },
    (_, at) => `databridge_delivery_held{customer="c-${at}",because="blocked"} 1`,
  );
  metrics = [...WELL, 'databridge_delivery_troubled_customers{because="failing"} 5'];
  await monitoring.told('page', 'ManyCustomersFailing');
  metrics = [...metrics, ...failing];
  await monitoring.firing('CustomerBlocked');
  metrics = WELL;
  await monitoring.allResolved();
  expect(told()).toEqual(['page: ManyCustomersFailing']);
});

run('one customer rejects our credentials: support is told, nobody is woken up', async () => {
  metrics = [
    ...WELL,
    'databridge_delivery_held{customer="acme",because="deauthorized"} 1',
    'databridge_delivery_troubled_customers{because="failing"} 1',
  ];
  const { labels, annotations } = await monitoring.told('support', 'CustomerNotAuthorized');
  expect(labels).toMatchObject({ customer: 'acme', fault: 'customer' });
  expect(annotations).toMatchObject({
    summary: 'acme does not accept our credentials',
    runbook_url: 'https://databridge.invalid/runbooks/DatabridgeCustomerNotAuthorized.md',
    dashboard_url: 'https://databridge.invalid/d/databridge-customer?var-customer=acme',
  });
  metrics = WELL;
  await monitoring.allResolved();
  expect(told()).toEqual(['support: CustomerNotAuthorized']);
});
