import { MessageCircle, SendHorizontal, Trash2, X } from 'lucide-react'
import { type SyntheticEvent, useEffect, useRef, useState } from 'react'
import { Link } from 'wouter'
import { type FragmentType, unmask } from '../gql'
import { CommentLineFragmentDoc, CommentsDocument, RemoveCommentDocument, type SlideFragment, WriteCommentDocument } from '../gql/graphql'
import { useList } from '../graph/list'
import { useSession } from '../session/session'
import { useText } from '../text/text'
import { Avatar } from '../ui/Avatar'
import { Drawer } from '../ui/Drawer'
import { LoadMore } from '../ui/LoadMore'
import { useDesktop } from '../ui/media'
import { EmptyState, ErrorState } from '../ui/states'
import { useViewerMutation } from './actions'

// Comments shows the comments on a video: in a column next to the video on a wide screen, otherwise in a drawer.
export function Comments({ video, close }: { video: SlideFragment; close: () => void }) {
  const desktop = useDesktop()
  const { t, formatCount } = useText()
  const title = t.commentCount(formatCount(video.commentCount))
  const side = useRef<HTMLElement>(null)
  useEffect(() => {
    const previous = document.activeElement
    side.current?.focus()
    return () => {
      if (previous instanceof HTMLElement) previous.focus({ preventScroll: true })
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

const pageSize = 20

function Thread({ video }: { video: SlideFragment }) {
  const { t } = useText()
  const list = useList(CommentsDocument, { video: video.id, first: pageSize }, (data) => data.video?.comments)
  const scroller = useRef<HTMLDivElement>(null)
  useReloadOnNewComments(list, video.commentCount)
  return (
    <>
      <div className="thread" ref={scroller}>
        {list.nodes?.length === 0 && !list.fetching && <EmptyState icon={<MessageCircle />} title={t.noComments} detail={t.firstComment} />}
        {list.nodes && (
          <ul>
            {list.nodes.map((comment) => (
              <Comment key={comment.id} comment={comment} video={video} />
            ))}
          </ul>
        )}
        {list.error && <ErrorState error={list.error} retry={list.reload} />}
        {!list.nodes && !list.error && <Skeletons />}
        {list.nodes && list.hasMore && <LoadMore key={list.nodes.length} load={list.loadMore} />}
      </div>
      <CommentForm video={video} sent={() => scroller.current?.scrollTo({ top: 0 })} />
    </>
  )
}

// useReloadOnNewComments reloads the first page when the count shows comments of other users that are not in the list.
function useReloadOnNewComments(list: { nodes?: unknown[]; fetching: boolean; reload: () => void }, count: number | null) {
  const known = useRef(count)
  const latest = useRef(list)
  useEffect(() => {
    latest.current = list
  })
  useEffect(() => {
    if (known.current === count) return
    known.current = count
    const { nodes, fetching, reload } = latest.current
    if (nodes && nodes.length < (count ?? 0) && nodes.length < pageSize && !fetching) reload()
  }, [count])
}

function CommentForm({ video, sent }: { video: SlideFragment; sent: () => void }) {
  const { t } = useText()
  const { viewer } = useSession()
  const mutate = useViewerMutation()
  const [text, setText] = useState('')

  function submit(event: SyntheticEvent) {
    event.preventDefault()
    const content = text.trim()
    if (!content) return
    // Keep the text if the user closes the sign-in dialog, or if the mutation fails.
    const clear = () => setText((current) => (current.trim() === content ? '' : current))
    const restore = () => setText((current) => current || content)
    if (viewer) clear()
    mutate(WriteCommentDocument, { video: video.id, content }, clear, restore)
    sent()
  }

  return (
    <form className="compose" onSubmit={submit}>
      <input
        value={text}
        onChange={(event) => setText(event.target.value)}
        maxLength={256}
        placeholder={t.writeComment}
        aria-label={t.writeComment}
        enterKeyHint="send"
      />
      <button type="submit" className="icon-button accent" aria-label={t.send} disabled={!text.trim()}>
        <SendHorizontal />
      </button>
    </form>
  )
}

function Skeletons() {
  return (
    <div aria-hidden>
      {[0, 1, 2, 3].map((i) => (
        <div className="comment" key={i}>
          <span className="skeleton round" />
          <span className="skeleton text" />
        </div>
      ))}
    </div>
  )
}

function Comment({ comment: masked, video }: { comment: FragmentType<typeof CommentLineFragmentDoc>; video: SlideFragment }) {
  const comment = unmask(CommentLineFragmentDoc, masked)
  const { t, formatAge } = useText()
  const { viewer } = useSession()
  const mutate = useViewerMutation()
  const author = comment.author
  const canDelete = viewer && (author?.id === viewer.id || video.author?.id === viewer.id)
  const unsent = comment.id.startsWith('unsent')
  return (
    <li className="comment" data-unsent={unsent}>
      <Avatar url={author?.avatarUrl} size={36} />
      <div className="comment-body">
        {author ? (
          <Link href={`/user/${author.databaseId}`} className="user-name">
            {author.name}
          </Link>
        ) : (
          <span className="user-name">{t.someone}</span>
        )}
        <p>{comment.content}</p>
        <span className="comment-time">{unsent ? t.sending : formatAge(comment.createdAt)}</span>
      </div>
      {canDelete && !unsent && (
        <button
          type="button"
          className="icon-button secondary"
          aria-label={t.remove}
          onClick={({ detail }) => {
            // Ignore the second click of a double click: the next comment has moved under the pointer.
            if (detail <= 1) mutate(RemoveCommentDocument, { video: video.id, comment: comment.id })
          }}
        >
          <Trash2 size={16} />
        </button>
      )}
    </li>
  )
}
