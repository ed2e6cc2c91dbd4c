// Checks how the server speaks graphql-transport-ws and graphql-sse, with their own clients and message by message.
// Prints each check that is not passed, and at the end how many there are, in one line of JSON. In between it prints
// "token N", which is answered by a line on the standard input with a token that is valid for N seconds, and "stop": then
// the server is to stop.
// usage: node live.mjs ENDPOINT TOKEN VIDEO
import assert from 'node:assert/strict'
import { createClient } from 'graphql-ws'
import { createClient as createEventClient } from 'graphql-sse'
import WebSocket from 'ws'
import { createInterface } from 'node:readline/promises'

const [endpoint, token, video] = process.argv.slice(2)
const socketURL = endpoint.replace(/^http/, 'ws')
const statsChanged = `subscription { videoStatsChanged(videoIds: ["${video}"]) { video { commentCount } } }`
const checks = []
const check = (name, run) => checks.push({ name, run })
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

// raw is a socket whose messages are read one by one.
class Raw {
  constructor({ protocol = 'graphql-transport-ws', headers = {} } = {}) {
    this.socket = new WebSocket(socketURL, protocol, { headers })
    this.messages = []
    this.waiting = []
    this.closed = new Promise((resolve) => this.socket.on('close', (code, reason) => resolve({ code, reason: String(reason) })))
    this.opened = new Promise((resolve, reject) => this.socket.on('open', resolve).on('error', reject))
    this.opened.catch(() => {})
    this.socket.on('message', (text) => {
      const message = JSON.parse(text)
      if (message.type === 'ping') return this.socket.send('{"type": "pong"}') // after a long silence
      if (this.waiting.length) this.waiting.shift()(message)
      else this.messages.push(message)
    })
  }
  async send(message) {
    await this.opened
    this.socket.send(typeof message === 'string' || message instanceof Buffer ? message : JSON.stringify(message))
    return this
  }
  read() {
    if (this.messages.length) return Promise.resolve(this.messages.shift())
    return new Promise((resolve) => this.waiting.push(resolve))
  }
  async init(payload) {
    await this.send({ type: 'connection_init', payload })
    assert.deepEqual(await this.read(), { type: 'connection_ack' })
    return this
  }
  subscribe(id, query, more = {}) {
    return this.send({ id, type: 'subscribe', payload: { query, ...more } })
  }
  // quiet says that nothing comes but the answer to a ping.
  async quiet() {
    await sleep(300)
    await this.send({ type: 'ping', payload: { last: true } })
    assert.deepEqual(await this.read(), { type: 'pong', payload: { last: true } })
    this.socket.close()
  }
  async closes(code, reason) {
    const closed = await this.closed
    assert.equal(closed.code, code, closed.reason)
    if (reason) assert.match(closed.reason, reason)
    assert.deepEqual(this.messages, [])
  }
}

const authorized = { authorization: `Bearer ${token}` }
let comments = 0
async function comment() {
  const query = `mutation { createComment(input: {videoId: "${video}", content: "hi"}) { video { commentCount } } }`
  const response = await fetch(endpoint, {
    method: 'POST', headers: { 'content-type': 'application/json', ...authorized }, body: JSON.stringify({ query }),
  })
  const body = await response.json()
  assert.equal(body.errors, undefined)
  comments++
}

// refused asserts that a message is the error of an operation.
function refused(message, id, code) {
  assert.equal(message.type, 'error')
  assert.equal(message.id, id)
  assert.ok(Array.isArray(message.payload) && message.payload.length > 0)
  for (const error of message.payload) {
    assert.equal(typeof error.message, 'string')
    assert.equal(error.extensions.code, code)
    assert.ok(error.extensions.requestId)
  }
}

check('another subprotocol: 4406', () => new Raw({ protocol: 'graphql-ws' }).closes(4406))
check('no subprotocol: 4406', () => new Raw({ protocol: [] }).closes(4406))
check('no connection_init in time: 4408', () => new Raw().closes(4408, /Connection initialisation timeout/))
check('connection_init twice: 4429', async () => {
  const raw = await new Raw().init()
  await raw.send({ type: 'connection_init' })
  await raw.closes(4429, /Too many initialisation requests/)
})
check('connection_init with a payload that is no object: 4400', async () => (await new Raw().send({ type: 'connection_init', payload: 'x' })).closes(4400))
check('connection_init with a wrong token: 4403', async () => (await new Raw().send({ type: 'connection_init', payload: { token: 'x' } })).closes(4403, /Forbidden/))
check('subscribe before the acknowledgement: 4401', async () => (await new Raw().subscribe('1', '{ __typename }')).closes(4401, /Unauthorized/))
for (const [name, message] of [
  ['what is not JSON', '{'], ['a list', '[]'], ['null', 'null'], ['no type', '{"id": "1"}'], ['an unknown type', '{"type": "hello"}'],
  ['a type of the server', '{"type": "connection_ack"}'], ['a binary message', Buffer.from('{"type":"ping"}')],
  ['subscribe without an id', '{"type": "subscribe", "payload": {"query": "{ __typename }"}}'],
  ['subscribe with an empty id', '{"id": "", "type": "subscribe", "payload": {"query": "{ __typename }"}}'],
  ['subscribe with a number as id', '{"id": 1, "type": "subscribe", "payload": {"query": "{ __typename }"}}'],
  ['subscribe without a payload', '{"id": "1", "type": "subscribe"}'],
  ['subscribe without a query', '{"id": "1", "type": "subscribe", "payload": {}}'],
  ['subscribe with variables that are no object', '{"id": "1", "type": "subscribe", "payload": {"query": "{ __typename }", "variables": 1}}'],
  ['complete without an id', '{"type": "complete"}'],
]) check(name + ': 4400', async () => (await (await new Raw().init()).send(message)).closes(4400, /Invalid message/))
check('an id that is taken: 4409', async () => {
  const raw = await new Raw().init()
  await raw.subscribe('1', statsChanged)
  assert.equal((await raw.read()).type, 'next')
  await raw.subscribe('1', '{ __typename }')
  await raw.closes(4409, /Subscriber for 1 already exists/)
})
check('a message that is too large: 1009', async () => {
  const raw = await new Raw().init()
  await raw.subscribe('1', '#'.repeat(1 << 21))
  await raw.closes(1009)
})
check('a token that expires: 4403', async () => {
  for (let seconds = 2; seconds < 60; seconds *= 2) {
    console.log(`token ${seconds}`)
    const raw = await new Raw().send({ type: 'connection_init', payload: { token: (await answers.next()).value } })
    const first = await Promise.race([raw.read(), raw.closed])
    if (first.type === 'connection_ack') return raw.closes(4403, /expired/)
    assert.equal(first.code, 4403) // the machine is slow: it had expired before
  }
  assert.fail('refused with every token')
})
check('a page of another origin is not let in', async () => {
  await assert.rejects(new Raw({ headers: { origin: 'https://elsewhere.example' } }).opened, /403/)
})
check('ping is answered by pong, with its payload and before the acknowledgement', async () => {
  const raw = new Raw()
  await raw.send({ type: 'ping' })
  assert.deepEqual(await raw.read(), { type: 'pong' })
  await raw.send({ type: 'ping', payload: { a: 1 } })
  assert.deepEqual(await raw.read(), { type: 'pong', payload: { a: 1 } })
  raw.socket.close()
})
check('pong and the end of what is unknown are taken silently', async () => {
  const raw = await new Raw().init()
  await raw.send({ type: 'pong' })
  await raw.send({ id: 'unknown', type: 'complete' })
  await raw.quiet()
})
check('a query: next, complete, nothing else, and its id is free again', async () => {
  const raw = await new Raw().init()
  for (let i = 0; i < 2; i++) {
    await raw.subscribe('1', '{ __typename }')
    assert.deepEqual(await raw.read(), { id: '1', type: 'next', payload: { data: { __typename: 'Query' } } })
    assert.deepEqual(await raw.read(), { id: '1', type: 'complete' })
  }
  await raw.quiet()
})
check('a field that fails: next with data and errors, complete', async () => {
  const raw = await new Raw().init()
  await raw.subscribe('1', '{ node(id: "x") { id } }')
  const message = await raw.read()
  assert.equal(message.type, 'next')
  assert.deepEqual(message.payload.data, { node: null })
  assert.equal(message.payload.errors[0].extensions.code, 'INVALID_ARGUMENT')
  assert.equal((await raw.read()).type, 'complete')
  await raw.quiet()
})
check('a mutation, by the token of the payload', async () => {
  const raw = await new Raw().init({ token })
  await raw.subscribe('1', 'mutation { updateProfile(input: {signature: "hi"}) { user { signature } } }')
  assert.deepEqual((await raw.read()).payload, { data: { updateProfile: { user: { signature: 'hi' } } } })
  assert.equal((await raw.read()).type, 'complete')
  raw.socket.close()
})
check('the header Authorization counts as well', async () => {
  const raw = await new Raw({ headers: authorized }).init()
  await raw.subscribe('1', '{ viewer { name } }')
  assert.equal((await raw.read()).payload.data.viewer.name, 'ann')
  raw.socket.close()
})
check('what is not valid: one error, nothing after it, and the id is free again', async () => {
  const raw = await new Raw().init()
  await raw.subscribe('1', '{ nothing }')
  refused(await raw.read(), '1', 'GRAPHQL_VALIDATION_FAILED')
  await raw.subscribe('1', '{')
  refused(await raw.read(), '1', 'GRAPHQL_PARSE_FAILED')
  await raw.quiet()
})
check('a subscription that needs a viewer: error', async () => {
  const raw = await new Raw().init()
  await raw.subscribe('1', 'subscription { messageReceived { cursor } }')
  refused(await raw.read(), '1', 'UNAUTHENTICATED')
  await raw.quiet()
})
check('what is over the limits: error', async () => {
  const raw = await new Raw().init()
  await raw.subscribe('1', `{ ${'feed { nodes { title } } '.repeat(30)} }`)
  refused(await raw.read(), '1', 'INVALID_ARGUMENT')
  await raw.quiet()
})
check('nothing after complete, and the id is free again', async () => {
  const raw = await new Raw().init()
  await raw.subscribe('1', statsChanged)
  assert.equal((await raw.read()).type, 'next')
  await comment()
  const message = await raw.read()
  assert.equal(message.id, '1')
  assert.ok(message.payload.data.videoStatsChanged.video.commentCount > 0)
  await raw.send({ id: '1', type: 'complete' })
  await comment()
  await raw.quiet()
})
check('a hash instead of the text', async () => {
  const raw = await new Raw().init()
  const query = '{ __typename again: __typename }'
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(query))
  const extensions = { persistedQuery: { version: 1, sha256Hash: Buffer.from(bytes).toString('hex') } }
  await raw.send({ id: '1', type: 'subscribe', payload: { extensions } })
  refused(await raw.read(), '1', 'PERSISTED_QUERY_NOT_FOUND')
  await raw.subscribe('1', query, { extensions })
  assert.equal((await raw.read()).type, 'next')
  assert.equal((await raw.read()).type, 'complete')
  await raw.send({ id: '1', type: 'subscribe', payload: { extensions } })
  assert.equal((await raw.read()).type, 'next')
  raw.socket.close()
})

const newClient = (options = {}) => createClient({ url: socketURL, webSocketImpl: WebSocket, connectionParams: authorized, ...options })
const newEventClient = (options = {}) => createEventClient({ url: endpoint, headers: authorized, ...options })
// first returns the first answer and ends the subscription.
async function first(client, query) {
  for await (const answer of client.iterate({ query })) return answer
}
for (const [name, make] of [['graphql-ws', newClient], ['graphql-sse', newEventClient]]) {
  check(`${name}: a query`, async () => assert.deepEqual(await first(make(), '{ viewer { name } }'), { data: { viewer: { name: 'ann' } } }))
  check(`${name}: a query that runs to its end`, async () => {
    const answers = []
    for await (const answer of make().iterate({ query: '{ __typename }' })) answers.push(answer)
    assert.deepEqual(answers, [{ data: { __typename: 'Query' } }])
  })
  check(`${name}: a subscription and its end`, async () => {
    const seen = []
    for await (const { data, errors } of make().iterate({ query: statsChanged })) {
      assert.equal(errors, undefined)
      seen.push(data.videoStatsChanged.video.commentCount)
      if (seen.length === 2) break
      await comment()
    }
    assert.ok(seen[1] > seen[0])
  })
  check(`${name}: several at once`, async () => {
    const client = make()
    const answers = await Promise.all(Array.from({ length: 5 }, () => first(client, statsChanged)))
    for (const answer of answers) assert.ok(answer.data.videoStatsChanged.video.commentCount >= 0)
  })
}
check('graphql-ws: what is not valid', async () => {
  await assert.rejects(first(newClient(), '{ nothing }'), (errors) => errors[0].extensions.code === 'GRAPHQL_VALIDATION_FAILED')
})
check('graphql-ws: its own pings are answered', async () => {
  const pongs = new Promise((resolve) => {
    const client = newClient({ keepAlive: 50, lazy: false, on: { pong: (received) => received && (client.dispose(), resolve()) } })
  })
  await pongs
})
check('graphql-ws: a connection that broke is made again, and a subscription goes on', async () => {
  const client = newClient({ retryAttempts: 5, shouldRetry: () => true })
  const counts = []
  for await (const { data } of client.iterate({ query: statsChanged })) {
    counts.push(data.videoStatsChanged.video.commentCount)
    if (counts.length === 1) client.terminate()
    else break
  }
  assert.equal(counts.length, 2)
})
check('graphql-sse: what is not valid', async () => {
  const answer = await first(newEventClient(), '{ nothing }')
  assert.equal(answer.errors[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED')
})
check('graphql-sse: a visitor who needs to sign in', async () => {
  const answer = await first(newEventClient({ headers: {} }), 'subscription { messageReceived { cursor } }')
  assert.equal(answer.errors[0].extensions.code, 'UNAUTHENTICATED')
})
check('events as they are sent: next, and complete with a data line', async () => {
  const response = await fetch(`${endpoint}?query=${encodeURIComponent('{ __typename }')}`, { headers: { accept: 'text/event-stream' } })
  assert.equal(response.status, 200)
  assert.match(response.headers.get('content-type'), /^text\/event-stream/)
  assert.equal(response.headers.get('content-encoding'), null)
  assert.equal(await response.text(), ':\n\nevent: next\ndata: {"data":{"__typename":"Query"}}\n\nevent: complete\ndata:\n\n')
})
check('events: a mutation by GET is refused', async () => {
  const response = await fetch(`${endpoint}?query=${encodeURIComponent('mutation { updateProfile(input: {}) { user { id } } }')}`, { headers: { accept: 'text/event-stream', ...authorized } })
  assert.equal(response.status, 405)
})
check('events: a subscription without them is refused', async () => {
  const response = await fetch(endpoint, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ query: statsChanged }) })
  assert.equal(response.status, 406)
  assert.equal((await response.json()).errors[0].extensions.code, 'INVALID_ARGUMENT')
})

const failures = []
async function runAll(list) {
  await Promise.all(list.map(async ({ name, run }) => {
    let timer
    const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error('takes too long')), 120_000) })
    try {
      await Promise.race([run(), late])
    } catch (error) {
      failures.push(`${name}: ${error?.stack ?? JSON.stringify(error)}`)
    } finally {
      clearTimeout(timer)
    }
  }))
}
await runAll(checks)

// The end of the server.
const raw = await new Raw().init()
await raw.subscribe('1', statsChanged)
await raw.read()
let retried, eventsBroke
await Promise.all([ // each is under way when it has heard something
  new Promise((begun) => {
    retried = new Promise((resolve) => {
      const client = newClient({ shouldRetry: (event) => (resolve(event.code), false) })
      client.subscribe({ query: statsChanged }, { next: begun, error() {}, complete() {} })
    })
  }),
  new Promise((begun) => {
    eventsBroke = new Promise((resolve) => {
      const client = newEventClient({ retryAttempts: 0 })
      client.subscribe({ query: statsChanged }, { next: begun, error: () => resolve('broke'), complete: () => resolve('complete') })
    })
  }),
])
console.log('stop')
const last = [
  { name: 'the end of the server: 1001', run: () => raw.closes(1001) },
  { name: 'the end of the server: graphql-ws may retry', run: async () => assert.equal(await retried, 1001) },
  { name: 'the end of the server: events break off without complete', run: async () => assert.equal(await eventsBroke, 'broke') },
]
await runAll(last)
console.log(JSON.stringify({ checks: checks.length + last.length, failures }))
process.exit(0)
