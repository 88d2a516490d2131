import './workers.ts';
import {explorerPlugin} from '@graphiql/plugin-explorer';
import {DOC_EXPLORER_PLUGIN} from '@graphiql/plugin-doc-explorer';
import {GraphiQL, HISTORY_PLUGIN} from 'graphiql';
import {createRoot} from 'react-dom/client';
import 'graphiql/style.css';
import '@graphiql/plugin-explorer/style.css';
import './style.css';
import type {ConsoleTab} from '../tabs.ts';
import {createFetcher} from './fetcher.ts';
import {storage} from './storage.ts';

const tabs = JSON.parse(document.getElementById('tabs')?.textContent ?? '[]') as ConsoleTab[];

createRoot(document.getElementById('console')!).render(
  <GraphiQL
    fetcher={createFetcher(new URL('graphql', document.baseURI))}
    defaultTabs={tabs.map(({query, variables}) => ({query, variables: variables ? JSON.stringify(variables, null, 2) : ''}))}
    plugins={[explorerPlugin(), HISTORY_PLUGIN]}
    referencePlugin={DOC_EXPLORER_PLUGIN}
    storage={storage}
    isHeadersEditorEnabled={false}
    showPersistHeadersSettings={false}
    defaultEditorToolsVisibility="variables"
  >
    <GraphiQL.Logo>
      <span className="logo">Millrace</span>
    </GraphiQL.Logo>
  </GraphiQL>,
);
