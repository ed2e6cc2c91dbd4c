import { ArrowUp, ChevronDown, ChevronUp } from 'lucide-react'
import { useEffect, useMemo, useRef, useState } from 'react'
import { useSubscription } from 'urql'
import { CountsOfDocument, NewVideosDocument, type SlideFragment } from '../gql/graphql'
import { useSession } from '../session/session'
import { useText } from '../text/text'
import { useDesktop } from '../ui/media'
import { ErrorState } from '../ui/states'
import { Comments } from './Comments'
import { Slide } from './Slide'
import type { useFeed } from './useFeed'
import { useKeys } from './useKeys'
import { useScrollBy, useWatched } from './useReel'

type Feed = ReturnType<typeof useFeed>

// Reel is the scrolling column of videos, one per screen.
export function Reel({ videos, error, atEnd, loadMore, restart, retry, savePosition }: Feed) {
  const { t } = useText()
  const desktop = useDesktop()
  const scroller = useRef<HTMLDivElement>(null)
  const count = videos.length
  const { watched, paused, setPaused } = useWatched(scroller, count)
  const scrollBy = useScrollBy(scroller, count)
  const [commentsOpen, setCommentsOpen] = useState(false)
  const index = Math.max(0, videos.findIndex((video) => video.id === watched))
  const video = videos[index]
  const [newAuthor, clearNewAuthor] = useLiveUpdates(videos, index)
  useKeys(video, { scrollBy, setPaused, setCommentsOpen })

  useEffect(() => {
    if (watched) savePosition(watched)
  }, [watched, savePosition])
  useEffect(() => {
    if (index >= count - 4) loadMore()
  }, [index, count, loadMore])

  const scrollToTop = () => scroller.current?.scrollTo({ top: 0, behavior: 'instant' })
  const showNewVideo = () => {
    clearNewAuthor()
    restart()
    scrollToTop()
  }
  return (
    <div className="feed">
      <h1 className="hidden">{t.home}</h1>
      <div className="slides" ref={scroller} tabIndex={-1}>
        {videos.map((each, i) => (
          <Slide
            key={each.id}
            video={each}
            distance={Math.abs(i - index)}
            paused={i === index && paused}
            setPaused={setPaused}
            openComments={() => setCommentsOpen(true)}
          />
        ))}
        <div className="slides-end">
          {error ? <ErrorState error={error} retry={retry} /> : atEnd ? <End scrollToTop={scrollToTop} /> : <span className="spinner" />}
        </div>
      </div>
      {newAuthor !== null && (
        <button type="button" className="new-video" onClick={showNewVideo}><ArrowUp size={16} /> {t.newVideoBy(newAuthor)}</button>
      )}
      {desktop && <Steps isFirst={index === 0} isLast={index >= count - 1} scrollBy={scrollBy} />}
      {commentsOpen && video && <Comments key={video.id} video={video} close={() => setCommentsOpen(false)} />}
    </div>
  )
}

function Steps({ isFirst, isLast, scrollBy }: { isFirst: boolean; isLast: boolean; scrollBy: (step: number) => void }) {
  const { t } = useText()
  return (
    <div className="steps">
      <button type="button" className="step" aria-label={t.previous} title="↑" disabled={isFirst} onClick={() => scrollBy(-1)}><ChevronUp /></button>
      <button type="button" className="step" aria-label={t.next} title="↓" disabled={isLast} onClick={() => scrollBy(1)}><ChevronDown /></button>
    </div>
  )
}

function End({ scrollToTop }: { scrollToTop: () => void }) {
  const { t } = useText()
  return (
    <>
      <p>{t.thatIsAll}</p>
      <button type="button" className="button" onClick={scrollToTop}><ArrowUp size={16} /> {t.backToTop}</button>
    </>
  )
}

// useLiveUpdates subscribes to the counts of the watched video and its neighbors, and to new videos of followed authors.
// It returns the author of the latest new video, and a function that clears it.
function useLiveUpdates(videos: SlideFragment[], index: number): [string | null, () => void] {
  const { viewer } = useSession()
  const [newAuthor, setNewAuthor] = useState<string | null>(null)
  const live = useMemo(() => videos.slice(Math.max(0, index - 1), index + 2).map(({ id }) => id), [videos, index])
  useSubscription({ query: CountsOfDocument, variables: { videos: live }, pause: live.length === 0 })
  useSubscription({ query: NewVideosDocument, variables: {}, pause: !viewer }, (_previous, event) => {
    setNewAuthor(event.videoPublished.video.author?.name ?? '')
    return event
  })
  return [newAuthor, () => setNewAuthor(null)]
}
