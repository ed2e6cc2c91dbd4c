import { createGraphiQLFetcher } from '@graphiql/toolkit'
import { parse } from 'graphql'
import { createClient } from 'graphql-ws'
import { authorization, endpoint } from './session.js'

// send sends operations over HTTP and subscriptions over a socket that is opened for the first of them. Both carry
// the session's token, unless the headers editor names another.
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

// fetcher is send for what the editor shows. Just after a change of tabs the editor still names the operation of the
// tab before: then the document's own is meant, if it has just one.
export function fetcher(params, options) {
  let documentAST
  try {
    documentAST = parse(params.query)
  } catch {
    return send(params, options) // the server says what is wrong
  }
  const names = documentAST.definitions.filter((d) => d.kind === 'OperationDefinition').map((d) => d.name?.value)
  let operationName = names.includes(params.operationName) ? params.operationName : undefined
  if (names.length === 1) operationName = names[0]
  return send({ ...params, operationName }, { ...options, documentAST })
}
