/** Hadoop's configuration files for a Hive on one machine: Tez in the same process, files of the local disk, Derby for the metastore. */
import {join} from 'node:path';

export type Properties = Readonly<Record<string, string>>;

/** The files of a server's configuration folder, by name. @param home an absolute folder of the server's own */
export function sites(home: string, hive: Properties): Readonly<Record<string, string>> {
  const temporary = (name: string) => join(home, 'tmp', name);
  const warehouse = `file://${join(home, 'warehouse')}`;
  return {
    'core-site.xml': site({
      'fs.defaultFS': 'file:///',
      'hadoop.tmp.dir': temporary('hadoop'),
      // Its default runs a program of Hadoop's for groups of users.
      'hadoop.security.group.mapping': 'org.apache.hadoop.security.ShellBasedUnixGroupsMapping',
    }),
    'mapred-site.xml': site({'mapreduce.framework.name': 'local', 'mapreduce.task.io.sort.mb': '64'}),
    'tez-site.xml': site({
      'tez.local.mode': 'true',
      // Without its network a task that is cancelled runs on, and whoever cancels waits for it.
      'tez.local.mode.without.network': 'false',
      'tez.runtime.optimize.local.fetch': 'true',
      'tez.ignore.lib.uris': 'true',
      'tez.staging-dir': temporary('tez'),
      'tez.am.inline.task.execution.max-tasks': '2',
      'tez.runtime.io.sort.mb': '64',
      'tez.runtime.unordered.output.buffer.size-mb': '16',
      'tez.task.resource.memory.mb': '512',
    }),
    'hive-site.xml': site({
      'javax.jdo.option.ConnectionURL': `jdbc:derby:;databaseName=${join(home, 'metastore')};create=true`,
      'javax.jdo.option.ConnectionDriverName': 'org.apache.derby.iapi.jdbc.AutoloadedDriver',
      'datanucleus.schema.autoCreateAll': 'true',
      'hive.metastore.schema.verification': 'false',
      'hive.metastore.warehouse.dir': warehouse,
      'hive.metastore.warehouse.external.dir': warehouse,
      'metastore.warehouse.dir': warehouse,
      'hive.exec.scratchdir': `file://${temporary('scratch')}`,
      'hive.exec.local.scratchdir': temporary('local'),
      'hive.downloaded.resources.dir': temporary('resources'),
      'hive.querylog.location': temporary('queries'),
      'hive.server2.logging.operation.log.location': temporary('operations'),
      'hive.user.install.directory': `file://${temporary('install')}`,
      'hive.server2.thrift.bind.host': '127.0.0.1',
      'hive.metastore.thrift.bind.host': '127.0.0.1',
      'hive.server2.webui.port': '0',
      'hive.server2.authentication': 'NONE',
      // Statements run as the server, which has no right to act for others.
      'hive.server2.enable.doAs': 'false',
      'hive.server2.tez.initialize.default.sessions': 'false',
      'hive.server2.materializedviews.registry.impl': 'DUMMY',
      'hive.server2.logging.operation.enabled': 'false',
      'hive.async.log.enabled': 'false',
      'hive.notification.event.poll.interval': '0s',
      'hive.metastore.event.db.notification.api.auth': 'false',
      'hive.scheduled.queries.executor.enabled': 'false',
      'hive.execution.engine': 'tez',
      'tez.local.mode': 'true',
      'hive.tez.container.size': '512',
      'hive.tez.exec.inplace.progress': 'false',
      'hive.auto.convert.join.noconditionaltask.size': '52428800',
      'hive.exec.submit.local.task.via.child': 'false',
      'hive.llap.io.enabled': 'false',
      'hive.stats.autogather': 'true',
      // Derby's metastore has no locks of transactions.
      'hive.support.concurrency': 'false',
      'hive.txn.manager': 'org.apache.hadoop.hive.ql.lockmgr.DummyTxnManager',
      ...hive,
    }),
    'hive-log4j2.properties': logging,
  };
}

const site = (properties: Properties): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<configuration>\n${Object.entries(properties).map(([name, value]) => `  <property><name>${name}</name><value>${escaped(value)}</value></property>\n`).join('')}</configuration>\n`;

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const logging = `status = WARN
name = hive
appender.c.type = Console
appender.c.name = c
appender.c.target = SYSTEM_ERR
appender.c.layout.type = PatternLayout
appender.c.layout.pattern = %d{ISO8601} %5p [%t] %c{2}: %m%n
rootLogger.level = WARN
rootLogger.appenderRef.c.ref = c
logger.dn.name = DataNucleus
logger.dn.level = ERROR
`;
