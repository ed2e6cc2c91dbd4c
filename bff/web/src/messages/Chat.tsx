import { ArrowLeft, CircleAlert, MessageCircle, RotateCw, SendHorizontal } from 'lucide-react'
import { type SyntheticEvent, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { useQuery } from 'urql'
import { Link } from 'wouter'
import { unmask } from '../gql'
import { type LineFragment, PeerFragmentDoc, PeerOfDocument } from '../gql/graphql'
import { isNotFound } from '../graph/errors'
import { useText } from '../text/text'
import { Avatar } from '../ui/Avatar'
import { LoadMore } from '../ui/LoadMore'
import { EmptyState, ErrorState } from '../ui/states'
import { useInbox } from './inbox'
import type { Pending } from './outbox'
import { useConversation } from './useConversation'
import { useOutbox } from './useOutbox'

// Chat is the conversation with one user.
export function Chat({ peer: id }: { peer: string }) {
  const { t } = useText()
  const [{ data, error }, execute] = useQuery({ query: PeerOfDocument, variables: { user: id } })
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
      {error && isNotFound(error) && <EmptyState title={t.notFound} />}
      {error && !isNotFound(error) && <ErrorState error={error} retry={() => execute({ requestPolicy: 'network-only' })} />}
      {peer && data?.user && <Conversation userID={data.user.id} peer={id} avatar={peer.avatarUrl} />}
    </section>
  )
}

function Conversation({ userID, peer, avatar }: { userID: string; peer: string; avatar: string }) {
  const { t } = useText()
  const { loaded, messages, error, cursor, loadEarlier, reload, retry } = useConversation(peer)
  const { pending, send, resend } = useOutbox(userID, messages, reload)
  const { scroller, onScroll, scrollToEnd } = useScroll(messages, pending.length)
  useMarkRead(userID, messages.at(-1))
  return (
    <>
      <div className="bubbles" ref={scroller} onScroll={onScroll} role="log" aria-label={t.messages} tabIndex={0}>
        {cursor != null && <LoadMore key={cursor} load={loadEarlier} />}
        {error && <ErrorState error={error} retry={retry} />}
        {loaded && messages.length === 0 && pending.length === 0 && <EmptyState icon={<MessageCircle />} title={t.sayHello} />}
        {!loaded && !error && <div className="page-loading"><span className="spinner" /></div>}
        <ol>
          {messages.map((message, i) => <Bubble key={message.id} message={message} previous={messages[i - 1]} avatar={avatar} />)}
          {pending.map((message) => <PendingBubble key={message.key} message={message} resend={() => void resend(message)} />)}
        </ol>
      </div>
      <MessageForm
        send={(content) => {
          scrollToEnd()
          send(content)
        }}
      />
    </>
  )
}

// useMarkRead marks the last message as read as soon as it is visible.
function useMarkRead(userID: string, last: LineFragment | undefined) {
  const { markRead } = useInbox()
  useEffect(() => {
    if (!last) return
    const mark = () => {
      if (!document.hidden) markRead(userID, last.createdAt)
    }
    mark()
    document.addEventListener('visibilitychange', mark)
    return () => document.removeEventListener('visibilitychange', mark)
  }, [last, markRead, userID])
}

// useScroll keeps the scroll position: at the end when messages are added, and on the same message when earlier messages
// are loaded.
function useScroll(messages: readonly LineFragment[], pendingCount: number) {
  const scroller = useRef<HTMLDivElement>(null)
  const view = useRef({ first: '', height: 0, atEnd: true })
  const first = messages[0]?.id ?? ''
  useLayoutEffect(() => {
    const element = scroller.current
    if (!element) return
    const previous = view.current
    if (previous.atEnd) element.scrollTop = element.scrollHeight
    else if (previous.first && previous.first !== first) element.scrollTop += element.scrollHeight - previous.height
    view.current = { first, height: element.scrollHeight, atEnd: previous.atEnd }
  }, [first, messages.length, pendingCount])
  return {
    scroller,
    onScroll: ({ currentTarget: { scrollTop, scrollHeight, clientHeight } }: { currentTarget: HTMLElement }) => {
      view.current.atEnd = scrollHeight - scrollTop - clientHeight < 60
    },
    // scrollToEnd scrolls when the next message is added.
    scrollToEnd: () => {
      view.current.atEnd = true
    },
  }
}

function MessageForm({ send }: { send: (content: string) => void }) {
  const { t } = useText()
  const [text, setText] = useState('')
  function submit(event: SyntheticEvent) {
    event.preventDefault()
    const content = text.trim()
    if (!content) return
    setText('')
    send(content)
  }
  return (
    <form className="compose" onSubmit={submit}>
      <input
        value={text}
        onChange={(event) => setText(event.target.value)}
        maxLength={256}
        placeholder={t.write}
        aria-label={t.write}
        enterKeyHint="send"
        autoComplete="off"
      />
      <button type="submit" className="icon-button accent" aria-label={t.send} disabled={!text.trim()}><SendHorizontal /></button>
    </form>
  )
}

const maxPause = 10 * 60_000 // ms between two messages without a time in between

function Bubble({ message, previous, avatar }: { message: LineFragment; previous: LineFragment | undefined; avatar: string }) {
  const { language } = useText()
  const showTime = !previous || message.createdAt - previous.createdAt > maxPause
  const time = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(message.createdAt)
  const sent = message.direction === 'SENT'
  return (
    <>
      {showTime && <li className="pause"><time dateTime={new Date(message.createdAt).toISOString()}>{time}</time></li>}
      <li className={`bubble ${sent ? 'sent' : 'received'}`}>
        {!sent && <Avatar url={avatar} size={32} />}
        <p>{message.content}</p>
      </li>
    </>
  )
}

function PendingBubble({ message, resend }: { message: Pending; resend: () => void }) {
  const { t } = useText()
  return (
    <li className="bubble sent" data-failed={message.failed}>
      {message.failed && (
        <button type="button" className="link" onClick={resend}>
          <CircleAlert size={14} /> {t.notSent} <RotateCw size={14} /> {t.retry}
        </button>
      )}
      <p aria-busy={!message.failed}>{message.content}</p>
    </li>
  )
}
