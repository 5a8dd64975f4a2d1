/** The built portal, held in memory with what the build compressed. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { DatabridgeError, messageOf } from '@databridge/kernel/errors';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
/** Every page of the portal starts with it: the browser's router does the rest. */
const PAGE = 'index.html';

export interface PortalFile {
  readonly type: string;
  readonly etag: string;
  /** Its name contains a digest of its content. */
  readonly isImmutable: boolean;
  readonly plain: Buffer;
  /** The compressed files that the build left beside it, if any: `<name>.gz` and `<name>.br`. */
  readonly gzip?: Buffer | undefined;
  readonly br?: Buffer | undefined;
}

export type PortalFiles = ReadonlyMap<string, PortalFile>;

/**
 * @param directory what `npm run build` of services/portal wrote
 * @throws {DatabridgeError} DB_CONFIG_INVALID
 */
export function readPortalFiles(directory: string): PortalFiles {
  const files = new Map<string, PortalFile>();
  for (const name of namesIn(directory)) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const path = join(directory, name);
    const plain = readFileSync(path);
    const etag = `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`;
    const compressed = { gzip: contentIfAny(`${path}.gz`), br: contentIfAny(`${path}.br`) };
    files.set(name, { type, etag, isImmutable: name.startsWith('assets/'), plain, ...compressed });
  }
  if (files.has(PAGE)) return files;
  throw new DatabridgeError(
    'DB_CONFIG_INVALID',
    `PORTAL_DIR: ${directory} contains no ${PAGE}; build it with "node services/portal/src/build/build.ts"`,
  );
}

function contentIfAny(path: string): Buffer | undefined {
  return existsSync(path) ? readFileSync(path) : undefined;
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((name) => name.replaceAll('\\', '/'));
  } catch (error) {
    throw new DatabridgeError('DB_CONFIG_INVALID', `PORTAL_DIR can't be read: ${messageOf(error)}`);
  }
}

/**
 * @param path below `/portal/`
 * @returns the file; the page for a path that names no file; undefined for a file that does not exist any more
 */
export function portalFile(files: PortalFiles, path: string): PortalFile | undefined {
  const found = files.get(path);
  if (found !== undefined) return found;
  return extname(path) in TYPES ? undefined : files.get(PAGE);
}
