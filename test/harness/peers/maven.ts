import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, command } from './peers-cache.ts';

/** A program from Maven with all that it depends on. @returns its Java class path */
export async function classPath(coordinates: string): Promise<string> {
  const [groupId, artifactId, version] = coordinates.split(':');
  const home = await cached(`${artifactId}-${version}`, async (dir) => {
    await writeFile(
      join(dir, 'pom.xml'),
      `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
  <groupId>databridge</groupId><artifactId>peer</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies><dependency><groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version></dependency></dependencies>
</project>`,
    );
    const copy = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
    await command('mvn', ['-q', copy, '-DincludeScope=runtime', '-DoutputDirectory=jars'], dir);
  });
  return join(home, 'jars', '*');
}

/** A program that is one archive. @returns where it is unpacked */
export async function unpacked(coordinates: string): Promise<string> {
  const [, artifactId, version] = coordinates.split(':');
  return await cached(`${artifactId}-${version}`, async (dir) => {
    const unpack = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack';
    await command('mvn', ['-q', unpack, `-Dartifact=${coordinates}`, `-DoutputDirectory=${dir}`], dir);
  });
}
