import { MessageCircle, SendHorizontal, Trash2, X } from 'lucide-react'
import { type SyntheticEvent, useEffect, useRef, useState } from 'react'
import { Link } from 'wouter'
import { type FragmentType, unmask } from '../gql'
import { CommentLineFragmentDoc, CommentsDocument, RemoveCommentDocument, type SlideFragment, WriteCommentDocument } from '../gql/graphql'
import { Drawer } from '../parts/Drawer'
import { useDesktop, useList } from '../parts/hooks'
import { Avatar, Empty, Problem, Reached } from '../parts/parts'
import { useSession } from '../session/session'
import { useWords } from '../text/text'
import { useChange } from './actions'

interface Props {
  video: SlideFragment
  close: () => void
}

// Comments is the drawer with what people say about a video: beside the video where there is room, else over it.
export function Comments({ video, close }: Props) {
  const desktop = useDesktop()
  const { t, count } = useWords()
  const title = t.commentCount(count(video.commentCount))
  const side = useRef<HTMLElement>(null)
  useEffect(() => {
    const before = document.activeElement
    side.current?.focus()
    return () => {
      if (before instanceof HTMLElement) before.focus({ preventScroll: true })
    }
  }, [desktop])
  if (!desktop) {
    return (
      <Drawer title={title} close={close} className="comments-drawer">
        <Thread video={video} />
      </Drawer>
    )
  }
  return (
    <aside
      className="comments-side"
      aria-label={t.comments}
      ref={side}
      tabIndex={-1}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && !event.nativeEvent.isComposing) close()
      }}
    >
      <header className="drawer-head">
        <h2>{title}</h2>
        <button type="button" className="icon-button" aria-label={t.close} onClick={close}>
          <X />
        </button>
      </header>
      <Thread video={video} />
    </aside>
  )
}

function Thread({ video }: { video: SlideFragment }) {
  const { t } = useWords()
  const { viewer } = useSession()
  const change = useChange()
  const [text, setText] = useState('')
  const list = useList(CommentsDocument, { video: video.id, first: 20 }, (data) => data.video?.comments)
  const scroller = useRef<HTMLDivElement>(null)

  // When others write, the count rises and the first page comes anew.
  const known = useRef(video.commentCount)
  const latest = useRef(list)
  useEffect(() => {
    latest.current = list
  })
  useEffect(() => {
    if (known.current === video.commentCount) return
    known.current = video.commentCount
    const { nodes, fetching, again } = latest.current
    if (nodes && nodes.length < (video.commentCount ?? 0) && nodes.length < 20 && !fetching) again()
  }, [video.commentCount])

  function submit(event: SyntheticEvent) {
    event.preventDefault()
    const content = text.trim()
    if (!content) return
    // A visitor may leave the dialog without signing in, and an answer may not come: what was written is kept then.
    const clear = () => setText((now) => (now.trim() === content ? '' : now))
    if (viewer) clear()
    change(WriteCommentDocument, { video: video.id, content }, clear, () => setText((now) => now || content))
    scroller.current?.scrollTo({ top: 0 })
  }

  return (
    <>
      <div className="thread" ref={scroller}>
        {list.nodes?.length === 0 && !list.fetching && <Empty icon={<MessageCircle />} title={t.noComments} why={t.firstComment} />}
        {list.nodes && (
          <ul>
            {list.nodes.map((comment) => (
              <Line key={comment.id} comment={comment} video={video} />
            ))}
          </ul>
        )}
        {list.error && <Problem error={list.error} again={list.again} />}
        {!list.nodes && !list.error && <Skeletons />}
        {list.nodes && list.hasMore && <Reached key={list.nodes.length} call={list.more} />}
      </div>
      <form className="compose" onSubmit={submit}>
        <input value={text} onChange={(event) => setText(event.target.value)} maxLength={256} placeholder={t.writeComment} aria-label={t.writeComment} enterKeyHint="send" />
        <button type="submit" className="icon-button accent" aria-label={t.send} disabled={!text.trim()}>
          <SendHorizontal />
        </button>
      </form>
    </>
  )
}

function Skeletons() {
  return (
    <div aria-hidden>
      {[0, 1, 2, 3].map((i) => (
        <div className="line" key={i}>
          <span className="skeleton round" />
          <span className="skeleton text" />
        </div>
      ))}
    </div>
  )
}

function Line({ comment: masked, video }: { comment: FragmentType<typeof CommentLineFragmentDoc>; video: SlideFragment }) {
  const comment = unmask(CommentLineFragmentDoc, masked)
  const { t, ago } = useWords()
  const { viewer } = useSession()
  const change = useChange()
  const author = comment.author
  const mine = viewer && (author?.id === viewer.id || video.author?.id === viewer.id)
  const unsent = comment.id.startsWith('unsent')
  return (
    <li className="line" data-unsent={unsent}>
      <Avatar url={author?.avatarUrl} size={36} />
      <div className="line-body">
        {author ? (
          <Link href={`/user/${author.databaseId}`} className="line-name">
            {author.name}
          </Link>
        ) : (
          <span className="line-name">{t.someone}</span>
        )}
        <p>{comment.content}</p>
        <span className="line-time">{unsent ? t.sending : ago(comment.createdAt)}</span>
      </div>
      {mine && !unsent && (
        <button
          type="button"
          className="icon-button quiet"
          aria-label={t.remove}
          onClick={({ detail }) => {
            if (detail <= 1) change(RemoveCommentDocument, { video: video.id, comment: comment.id }) // a second tap meets the next line
          }}
        >
          <Trash2 size={16} />
        </button>
      )}
    </li>
  )
}
