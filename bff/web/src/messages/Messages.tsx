import { ArrowLeft, CircleAlert, MessageCircle, RotateCw, SendHorizontal, Users } from 'lucide-react'
import { type SyntheticEvent, useCallback, useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from 'react'
import { useClient, useQuery } from 'urql'
import { Link } from 'wouter'
import { unmask } from '../gql'
import { ConversationDocument, FriendsDocument, type LineFragment, LineFragmentDoc, PeerFragmentDoc, PeerOfDocument, SendMessageDocument } from '../gql/graphql'
import { isMissing } from '../graph/client'
import { useDesktop, useList, usePage, useReconnect } from '../parts/hooks'
import { Avatar, Empty, Problem, Reached } from '../parts/parts'
import { useWords } from '../text/text'
import { friendsPage, useInbox } from './inbox'
import './messages.css'

// Messages shows the friends, and the conversation with one of them.
export default function Messages({ peer }: { peer?: string }) {
  const desktop = useDesktop()
  const { t } = useWords()
  return (
    <div className="messages">
      {(desktop || !peer) && <Friends chosen={peer} />}
      {peer ? <Chat key={peer} peer={peer} /> : desktop && <div className="chat"><Empty icon={<MessageCircle />} title={t.pickFriend} why={t.pickFriendWhy} /></div>}
    </div>
  )
}

function Friends({ chosen }: { chosen: string | undefined }) {
  const { t, ago } = useWords()
  const { isUnread } = useInbox()
  const list = useList(FriendsDocument, { first: friendsPage }, (data) => data.viewer?.friends)
  const friends = useMemo(
    () =>
      (list.nodes ?? [])
        .map(({ user, latestMessage }) => ({ id: user.id, user: unmask(PeerFragmentDoc, user), latest: unmask(LineFragmentDoc, latestMessage) }))
        .sort((a, b) => (b.latest?.createdAt ?? 0) - (a.latest?.createdAt ?? 0)),
    [list.nodes],
  )
  return (
    <section className="friends" aria-label={t.messages}>
      <h1>{t.messages}</h1>
      {list.nodes?.length === 0 && !list.fetching && <Empty icon={<Users />} title={t.noFriends} why={t.noFriendsWhy} />}
      <ul>
        {friends.map(({ id, user, latest }) => (
          <li key={id}>
            <Link href={`/messages/${user.databaseId}`} className="friend" aria-current={chosen === String(user.databaseId) ? 'true' : undefined} data-unread={isUnread(id, latest)}>
              <Avatar url={user.avatarUrl} size={52} />
              <span className="friend-name">{user.name}</span>
              {latest && <span className="friend-time">{ago(latest.createdAt)}</span>}
              <span className="friend-line">{latest ? (latest.direction === 'SENT' ? t.you : '') + latest.content : t.sayHello}</span>
              {isUnread(id, latest) && <span className="dot" role="img" aria-label={t.unread(1)} />}
            </Link>
          </li>
        ))}
      </ul>
      {list.error && <Problem error={list.error} again={list.again} />}
      {!list.nodes && !list.error && (
        <div aria-hidden>
          {[0, 1, 2, 3, 4].map((i) => <div className="friend" key={i}><span className="skeleton round big" /><span className="skeleton text" /></div>)}
        </div>
      )}
      {list.hasMore && <Reached key={list.nodes?.length} call={list.more} />}
    </section>
  )
}

// What was written and is not in the conversation yet.
interface Pending {
  key: number
  content: string
  failed: boolean
  known: ReadonlySet<string> // ids of the lines that were there before
}

type Step = { add: Pending } | { fail: number } | { retry: number } | { done: number }

function outbox(pending: Pending[], step: Step): Pending[] {
  if ('add' in step) return [...pending, step.add]
  if ('done' in step) return pending.filter(({ key }) => key !== step.done)
  const [key, failed] = 'fail' in step ? [step.fail, true] : [step.retry, false]
  return pending.map((each) => (each.key === key ? { ...each, failed } : each))
}

// arrived finds the line that a message has become though its answer was lost. A line stands for one message only.
function arrived({ content, known }: Pending, lines: readonly LineFragment[], taken: Set<string>) {
  const line = lines.find(({ id, direction, content: said }) => direction === 'SENT' && said === content && !known.has(id) && !taken.has(id))
  if (line) taken.add(line.id)
  return line !== undefined
}

function Chat({ peer: id }: { peer: string }) {
  const { t } = useWords()
  const [{ data, error }, again] = useQuery({ query: PeerOfDocument, variables: { user: id } })
  const peer = unmask(PeerFragmentDoc, data?.user)
  return (
    <section className="chat" aria-label={peer?.name ?? t.messages}>
      <header className="chat-head">
        <Link href="/messages" className="icon-button back" aria-label={t.back}><ArrowLeft /></Link>
        {peer ? (
          <Link href={`/user/${peer.databaseId}`} className="chat-peer">
            <Avatar url={peer.avatarUrl} size={36} />
            <h2>{peer.name}</h2>
          </Link>
        ) : !error && <span className="skeleton text" />}
      </header>
      {error && isMissing(error) ? <Empty title={t.notFound} /> : error ? <Problem error={error} again={() => again({ requestPolicy: 'network-only' })} /> : null}
      {peer && data?.user && <Lines userID={data.user.id} peer={id} avatar={peer.avatarUrl} />}
    </section>
  )
}

const perPage = 30

function Lines({ userID, peer, avatar }: { userID: string; peer: string; avatar: string }) {
  const { t, language } = useWords()
  const client = useClient()
  const { read } = useInbox()
  const [before, setBefore] = usePage()
  const [{ data, error, fetching }, execute] = useQuery({
    query: ConversationDocument,
    variables: { with: peer, last: perPage, before },
    requestPolicy: before ? 'cache-first' : 'cache-and-network',
  })
  const nodes = data?.conversation.nodes
  const lines = useMemo(() => (nodes ?? []).map((node) => unmask(LineFragmentDoc, node)), [nodes])
  const [pending, dispatch] = useReducer(outbox, [])
  const [text, setText] = useState('')
  const scroller = useRef<HTMLDivElement>(null)
  const info = data?.conversation.pageInfo

  const last = lines.at(-1)
  useEffect(() => {
    if (!last) return
    const look = () => {
      if (!document.hidden) read(userID, last.createdAt)
    }
    look()
    document.addEventListener('visibilitychange', look)
    return () => document.removeEventListener('visibilitychange', look)
  }, [last, read, userID])

  // At the end one stays at the end; what is loaded above leaves what is seen in its place.
  const view = useRef({ first: '', height: 0, atEnd: true })
  const first = lines[0]?.id ?? ''
  useLayoutEffect(() => {
    const element = scroller.current
    if (!element) return
    const was = view.current
    if (was.atEnd) element.scrollTop = element.scrollHeight
    else if (was.first && was.first !== first) element.scrollTop += element.scrollHeight - was.height
    view.current = { first, height: element.scrollHeight, atEnd: was.atEnd }
  }, [first, lines.length, pending.length])

  const taken = useRef(new Set<string>()) // lines that were in the outbox
  const deliver = useCallback(
    async ({ key, content }: Pending) => {
      const { data, error } = await client.mutation(SendMessageDocument, { to: userID, content })
      if (data) taken.current.add(data.sendMessage.message.id)
      dispatch(error ? { fail: key } : { done: key })
    },
    [client, userID],
  )

  // reread brings the end of the conversation as it is now.
  const reread = useCallback(() => {
    setBefore(null)
    return client.query(ConversationDocument, { with: peer, last: perPage, before: null }, { requestPolicy: 'network-only' }).toPromise()
  }, [client, peer, setBefore])
  useReconnect(useCallback(() => void reread(), [reread]))

  // Of a message that failed it is not known whether only its answer was lost: it goes out again unless it is there.
  async function retry(message: Pending) {
    dispatch({ retry: message.key })
    const { data, error } = await reread()
    if (error || !data) return dispatch({ fail: message.key })
    if (arrived(message, unmask(LineFragmentDoc, data.conversation.nodes), taken.current)) return dispatch({ done: message.key })
    await deliver(message)
  }
  useEffect(() => {
    for (const message of pending) if (message.failed && arrived(message, lines, taken.current)) dispatch({ done: message.key })
  }, [pending, lines])

  function submit(event: SyntheticEvent) {
    event.preventDefault()
    const content = text.trim()
    if (!content) return
    const message = { key: performance.now(), content, failed: false, known: new Set(lines.map(({ id }) => id)) }
    setText('')
    view.current.atEnd = true
    dispatch({ add: message })
    void deliver(message)
  }

  return (
    <>
      <div
        className="lines"
        ref={scroller}
        onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
          view.current.atEnd = scrollHeight - scrollTop - clientHeight < 60
        }}
        role="log"
        aria-label={t.messages}
        tabIndex={0}
      >
        {info?.hasPreviousPage && (
          <Reached
            key={info.startCursor}
            call={() => {
              if (!fetching && info.startCursor) setBefore(info.startCursor)
            }}
          />
        )}
        {error && <Problem error={error} again={() => execute({ requestPolicy: 'network-only' })} />}
        {data && lines.length === 0 && pending.length === 0 && <Empty icon={<MessageCircle />} title={t.sayHello} />}
        {!data && !error && <div className="page-loading"><span className="spinner" /></div>}
        <ol>
          {lines.map((line, i) => <Bubble key={line.id} line={line} before={lines[i - 1]} avatar={avatar} language={language} />)}
          {pending.map((message) => (
            <li className="bubble sent" key={message.key} data-failed={message.failed}>
              {message.failed && (
                <button type="button" className="link" onClick={() => void retry(message)}>
                  <CircleAlert size={14} /> {t.notSent} <RotateCw size={14} /> {t.retry}
                </button>
              )}
              <p aria-busy={!message.failed}>{message.content}</p>
            </li>
          ))}
        </ol>
      </div>
      <form className="compose" onSubmit={submit}>
        <input value={text} onChange={(event) => setText(event.target.value)} maxLength={256} placeholder={t.write} aria-label={t.write} enterKeyHint="send" autoComplete="off" />
        <button type="submit" className="icon-button accent" aria-label={t.send} disabled={!text.trim()}><SendHorizontal /></button>
      </form>
    </>
  )
}

const pauseBetween = 10 * 60_000

function Bubble({ line, before, avatar, language }: { line: LineFragment; before: LineFragment | undefined; avatar: string; language: string }) {
  const paused = !before || line.createdAt - before.createdAt > pauseBetween
  const time = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(line.createdAt)
  const sent = line.direction === 'SENT'
  return (
    <>
      {paused && <li className="pause"><time dateTime={new Date(line.createdAt).toISOString()}>{time}</time></li>}
      <li className={`bubble ${sent ? 'sent' : 'received'}`}>
        {!sent && <Avatar url={avatar} size={32} />}
        <p>{line.content}</p>
      </li>
    </>
  )
}
