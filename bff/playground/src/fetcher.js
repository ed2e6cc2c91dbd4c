import { createGraphiQLFetcher } from '@graphiql/toolkit'
import { parse } from 'graphql'
import { createClient } from 'graphql-ws'
import { authorization, endpoint } from './session.js'

// send sends queries and mutations over HTTP, and subscriptions over a WebSocket that opens with the first of them. Both
// send the session's token, unless the headers editor has another one.
const send = createGraphiQLFetcher({
  url: endpoint,
  fetch(url, init) {
    const headers = new Headers(init.headers)
    for (const [name, value] of Object.entries(authorization())) {
      if (!headers.has(name)) headers.set(name, value)
    }
    return fetch(url, { ...init, headers })
  },
  wsClient: createClient({
    url: endpoint.replace(/^http/, 'ws'),
    lazy: true,
    connectionParams: authorization,
  }),
})

// fetcher sends the document of the editor. Right after a switch of tabs, the editor still has the operation name of the
// previous tab. If the document has only one operation, fetcher sends that one.
export function fetcher(params, options) {
  let documentAST
  try {
    documentAST = parse(params.query)
  } catch {
    return send(params, options) // the server responds with the syntax error
  }
  const names = documentAST.definitions.filter((d) => d.kind === 'OperationDefinition').map((d) => d.name?.value)
  let operationName = names.includes(params.operationName) ? params.operationName : undefined
  if (names.length === 1) operationName = names[0]
  return send({ ...params, operationName }, { ...options, documentAST })
}
