import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from '@databridge/local-platform/free-port';
import { kafkaTool } from '@databridge/local-platform/jvm/kafka-tool';
import { startJvmPlatform } from '@databridge/local-platform/jvm/platform-jvm';
import { readMachineConfig } from '@databridge/local-platform/platform-config';

const run = promisify(execFile);
const STORE_PASSWORD = 'only-in-this-test';
const MECHANISM = 'SCRAM-SHA-512';

export interface SecuredBroker {
  /** Without any protection, for the test's own use: whoever comes here may do all. */
  readonly openBrokers: string[];
  /** TLS, SCRAM, and nothing allowed that is not granted. */
  readonly securedBrokers: string[];
  readonly registryUrl: string;
  /** PEM of the authority that signed the broker's certificate. */
  readonly caFile: string;
  stop(): Promise<void>;
}

/**
 * @param users name → password
 * @param others further properties of the broker
 */
export async function startSecuredBroker(
  users: Readonly<Record<string, string>>,
  others: Readonly<Record<string, string>> = {},
): Promise<SecuredBroker> {
  const dir = await mkdtemp(join(tmpdir(), 'databridge-secured-'));
  const { keyStore, caFile } = await makeCertificate(dir);
  const [port = 0] = await freePorts(1);
  const settings = {
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURED:SASL_SSL',
    'listener.name.secured.sasl.enabled.mechanisms': MECHANISM,
    'listener.name.secured.scram-sha-512.sasl.jaas.config':
      'org.apache.kafka.common.security.scram.ScramLoginModule required;',
    'listener.name.secured.ssl.keystore.type': 'PKCS12',
    'listener.name.secured.ssl.keystore.location': keyStore,
    'listener.name.secured.ssl.keystore.password': STORE_PASSWORD,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS',
    ...others,
  };
  const platform = await startJvmPlatform({ ...readMachineConfig(process.env), secured: { port, settings } });
  for (const [name, password] of Object.entries(users)) await addUser(platform.brokers, name, password);
  return {
    openBrokers: platform.brokers,
    securedBrokers: [`127.0.0.1:${port}`],
    registryUrl: platform.registryUrl,
    caFile,
    async stop() {
      await platform.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function makeCertificate(dir: string): Promise<{ keyStore: string; caFile: string }> {
  const { javaHome } = readMachineConfig(process.env);
  const keytool = javaHome ? join(javaHome, 'bin', 'keytool') : 'keytool';
  const keyStore = join(dir, 'broker.p12');
  const caFile = join(dir, 'ca.pem');
  const store = ['-keystore', keyStore, '-storetype', 'PKCS12', '-storepass', STORE_PASSWORD, '-alias', 'broker'];
  const subject = ['-dname', 'CN=broker', '-ext', 'san=ip:127.0.0.1', '-validity', '2'];
  await run(keytool, ['-genkeypair', '-keyalg', 'EC', '-groupname', 'secp256r1', ...subject, ...store]);
  await run(keytool, ['-exportcert', '-rfc', '-file', caFile, ...store]);
  return { keyStore, caFile };
}

/** kafkajs can't. */
async function addUser(brokers: readonly string[], name: string, password: string): Promise<void> {
  const entity = ['--entity-type', 'users', '--entity-name', name];
  const added = await kafkaTool('kafka.admin.ConfigCommand', [
    ...['--bootstrap-server', brokers.join(), '--alter', '--add-config', `${MECHANISM}=[password=${password}]`],
    ...entity,
  ]);
  if (!added.stdout.includes('Completed')) throw new Error(`user ${name}: ${added.stdout}${added.stderr}`);
}
