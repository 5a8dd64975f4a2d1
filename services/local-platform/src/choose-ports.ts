/** Chooses the ports of `npm start`: the settings' or the default ones; a free one where a default is taken. */
import { DatabridgeError } from '@databridge/kernel/errors';
import { freePorts, isFree } from './free-port.ts';
import { PORTS, type PortSetting } from './platform-config.ts';

/**
 * @param given by the settings; 0 asks for a free port
 * @param note gets a sentence for each usual port that is taken
 * @throws {DatabridgeError} DB_PLATFORM_PORT_TAKEN, naming every setting whose port is taken
 */
export async function choosePorts(
  names: readonly PortSetting[],
  given: Partial<Record<PortSetting, number>>,
  note: (sentence: string) => void,
): Promise<Record<PortSetting, number>> {
  const free = await freePorts(names.length);
  const taken: string[] = [];
  const chosen: [PortSetting, number][] = [];
  for (const [at, name] of names.entries()) {
    const instead = free[at] ?? 0;
    const { what, usual } = PORTS[name];
    const wanted = given[name] ?? usual;
    if (wanted === 0) chosen.push([name, instead]);
    else if (await isFree(wanted)) chosen.push([name, wanted]);
    else if (given[name] !== undefined) taken.push(`${name}=${wanted} (${what})`);
    else {
      note(`port ${wanted} of ${what} is taken: port ${instead} is used this time; ${name} sets another`);
      chosen.push([name, instead]);
    }
  }
  const twice = [...Map.groupBy(chosen, ([, port]) => port)].filter(([, all]) => all.length > 1);
  if (taken.length === 0 && twice.length === 0) return Object.fromEntries(chosen) as Record<PortSetting, number>;
  const mistakes = [
    ...taken.map((one) => `${one}: another program listens on that port`),
    ...twice.map(([port, all]) => `${all.map(([name]) => name).join(' and ')} are both ${port}`),
  ];
  throw new DatabridgeError(
    'DB_PLATFORM_PORT_TAKEN',
    `${mistakes.join('; ')}. End that program or set another port, or 0 for a free one.`,
  );
}
