/**
 * What Maven must fetch to make a Hive. No archive of Hive is published where Maven looks, so HiveServer2, the metastore and Tez are
 * put together from their libraries.
 */

/** 4.1 and later name dependencies that are published nowhere. */
export const versions = {hive: '4.0.1', hadoop: '3.3.6', tez: '0.10.4'} as const;

/** Of log-ins and storage handlers that are not started here; some of them only lie in repositories of their makers. */
const unneeded = [
  'org.pac4j', 'org.opensaml', 'net.shibboleth.tool', 'org.apache.directory.server', 'org.apache.directory.client.ldap', 'org.apache.hbase', 'org.pentaho', 'org.apache.druid', 'org.apache.solr',
];

interface Library {
  readonly group: string;
  readonly version: string;
  readonly names: readonly string[];
  /** Groups left out of what the library needs; `*`: all. */
  readonly without?: readonly string[];
}

const libraries: readonly Library[] = [
  {group: 'org.apache.hive', version: versions.hive, names: ['hive-service', 'hive-exec', 'hive-standalone-metastore-server'], without: unneeded},
  {
    group: 'org.apache.hadoop', version: versions.hadoop,
    names: ['hadoop-common', 'hadoop-hdfs-client', 'hadoop-mapreduce-client-core', 'hadoop-mapreduce-client-common', 'hadoop-mapreduce-client-jobclient', 'hadoop-yarn-client'],
  },
  {group: 'org.apache.hadoop', version: versions.hadoop, names: ['hadoop-hdfs'], without: ['*']}, // HiveServer2 loads classes of it, not its servers
  {group: 'org.apache.tez', version: versions.tez, names: ['tez-api', 'tez-common', 'tez-dag', 'tez-mapreduce', 'tez-runtime-library', 'tez-runtime-internals']},
];

/** The project file. */
export const pom = `<?xml version="1.0" encoding="UTF-8"?>
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>millrace</groupId><artifactId>hive</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
${libraries.flatMap(({group, version, names, without = []}) => names.map(name => `    <dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version>${exclusions(without)}</dependency>`)).join('\n')}
  </dependencies>
</project>
`;

function exclusions(groups: readonly string[]): string {
  return groups.length === 0 ? '' : `<exclusions>${groups.map(group => `<exclusion><groupId>${group}</groupId><artifactId>*</artifactId></exclusion>`).join('')}</exclusions>`;
}

/**
 * Repositories that dependencies name, other than Maven's own, are answered by an empty folder: they are not needed, and asking those that
 * are gone takes minutes. A mirror in the user's own settings goes first.
 */
export const settings = `<settings><mirrors><mirror><id>central-only</id><mirrorOf>*,!central</mirrorOf><url>file:///var/empty/maven</url></mirror></mirrors></settings>
`;

/** Libraries that do harm on the class path. */
export const harmful: readonly RegExp[] = [
  /^slf4j-reload4j-/, // a second binding of SLF4J
  /^hadoop-client-api-/, // Hadoop's classes under other names, which Tez takes for Hadoop's own
  /^hive-llap-common-.*-tests\.jar$/,
];

/** Tez needs a class of it, but it must not come before log4j-1.2-api. */
export const last = /^reload4j-/;
