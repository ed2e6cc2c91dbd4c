import { ArrowUp, ChevronDown, ChevronUp, Clapperboard } from 'lucide-react'
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { useQuery, useSubscription } from 'urql'
import { unmask } from '../gql'
import { CountsOfDocument, NewVideosDocument, type SlideFragment, SlideFragmentDoc, WatchDocument } from '../gql/graphql'
import { isMissing } from '../graph/client'
import { useDesktop } from '../parts/hooks'
import { Empty, Problem } from '../parts/parts'
import { useSession } from '../session/session'
import { useWords } from '../text/text'
import { useLike } from './actions'
import { Comments } from './Comments'
import { Slide } from './Slide'
import { setMuted, useMuted } from './sound'
import { placeOf, useFeed } from './useFeed'
import './feed.css'

// Feed is the endless list of videos, from the newest.
export default function Feed() {
  const feed = useFeed()
  const { t } = useWords()
  if (feed.videos.length === 0) {
    if (feed.error) return <div className="feed-alone"><Problem error={feed.error} again={feed.again} /></div>
    if (feed.atEnd) return <div className="feed-alone"><Empty icon={<Clapperboard />} title={t.noVideos} why={t.noVideosWhy} /></div>
    return <FeedSkeleton />
  }
  return <Reel {...feed} />
}

// Watch is one video with its own address, and the feed after it.
export function Watch({ id }: { id: string }) {
  const { signedIn } = useSession()
  const [{ data, error }, again] = useQuery({ query: WatchDocument, variables: { id, signedIn } })
  const feed = useFeed()
  const { t } = useWords()
  const video = unmask(SlideFragmentDoc, data?.video)
  const videos = useMemo(() => (video ? [video, ...feed.videos.filter((other) => other.id !== video.id)] : []), [video, feed.videos])
  useEffect(() => {
    if (video) document.title = `${video.title} · minidouyin`
    return () => {
      document.title = 'minidouyin'
    }
  }, [video])
  if (video) return <Reel {...feed} videos={videos} />
  if (isMissing(error) || data?.video === null) return <div className="feed-alone"><Empty icon={<Clapperboard />} title={t.notFound} why={t.notFoundWhy} /></div>
  if (error) return <div className="feed-alone"><Problem error={error} again={() => again({ requestPolicy: 'network-only' })} /></div>
  return <FeedSkeleton />
}

function FeedSkeleton() {
  const { t } = useWords()
  return (
    <div className="feed-alone" role="status" aria-label={t.loading}>
      <div className="stage skeleton" />
    </div>
  )
}

type ReelProps = ReturnType<typeof useFeed> & { videos: SlideFragment[] }

function Reel({ videos, error, atEnd, more, over, again, keep }: ReelProps) {
  const { t } = useWords()
  const { viewer } = useSession()
  const desktop = useDesktop()
  const muted = useMuted()
  const like = useLike()
  const scroller = useRef<HTMLDivElement>(null)
  const aim = useRef({ slide: 0, until: 0 }) // where the last step leads, while it may be on its way
  const [watched, setWatched] = useState(() => placeOf()?.watched)
  const [paused, setPaused] = useState(false)
  const [comments, setComments] = useState(false)
  const [news, setNews] = useState<string | null>(null)
  const index = Math.max(0, videos.findIndex((video) => video.id === watched))
  const video = videos[index]

  useLayoutEffect(() => {
    const root = scroller.current
    const at = [...(root?.querySelectorAll<HTMLElement>('.slide') ?? [])].findIndex(({ dataset }) => dataset.video === placeOf()?.watched)
    if (root && at > 0) root.scrollTo({ top: at * root.clientHeight, behavior: 'instant' })
  }, [])
  useEffect(() => {
    if (watched) keep(watched)
  }, [watched, keep])

  // The slide that fills most of the screen is the one that is watched.
  const count = videos.length
  useEffect(() => {
    const root = scroller.current
    if (!root) return
    const observer = new IntersectionObserver(
      (entries) => {
        const shown = entries.find((entry) => entry.isIntersecting)
        if (!shown) return
        setWatched((shown.target as HTMLElement).dataset.video)
        setPaused(false)
      },
      { root, threshold: 0.6 },
    )
    for (const slide of root.querySelectorAll('.slide')) observer.observe(slide)
    return () => observer.disconnect()
  }, [count])

  useEffect(() => {
    if (index >= count - 4) more()
  }, [index, count, more])

  // The counts of what is watched, and of what comes next, are live.
  const live = useMemo(() => videos.slice(Math.max(0, index - 1), index + 2).map(({ id }) => id), [videos, index])
  useSubscription({ query: CountsOfDocument, variables: { videos: live }, pause: live.length === 0 })
  useSubscription({ query: NewVideosDocument, variables: {}, pause: !viewer }, (_all, told) => {
    const { video } = told.videoPublished
    setNews(video.author?.name ?? '')
    return told
  })

  const go = useCallback((step: number) => {
    const root = scroller.current
    if (!root) return
    const calm = window.matchMedia('(prefers-reduced-motion: reduce)').matches
    const now = performance.now()
    const from = now < aim.current.until ? aim.current.slide : Math.round(root.scrollTop / root.clientHeight)
    const slide = Math.max(0, Math.min(from + step, count))
    aim.current = { slide, until: now + 1_000 }
    root.scrollTo({ top: slide * root.clientHeight, behavior: calm ? 'instant' : 'smooth' })
  }, [count])

  useEffect(() => {
    function press(event: KeyboardEvent) {
      const on = event.target as HTMLElement
      if (event.ctrlKey || event.metaKey || event.altKey || on.closest('input, textarea, dialog, [contenteditable]')) return
      if (!video || (event.repeat && !event.key.startsWith('Arrow'))) return
      switch (event.key) {
        case 'ArrowDown':
          go(1)
          break
        case 'ArrowUp':
          go(-1)
          break
        case ' ':
          if (on.closest('button, a')) return
          setPaused((was) => !was)
          break
        case 'l':
        case 'L':
          like(video, !video.viewerHasLiked)
          break
        case 'c':
        case 'C':
          setComments((was) => !was)
          break
        case 'm':
        case 'M':
          setMuted(!muted)
          break
        case 'Escape':
          setComments(false)
          return
        default:
          return
      }
      event.preventDefault()
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [video, muted, like, go])

  return (
    <div className="feed">
      <h1 className="hidden">{t.home}</h1>
      <div className="slides" ref={scroller} tabIndex={-1}>
        {videos.map((each, i) => (
          <Slide
            key={each.id}
            video={each}
            near={Math.abs(i - index)}
            paused={i === index && paused}
            setPaused={setPaused}
            openComments={() => setComments(true)}
          />
        ))}
        <div className="slides-end">
          {error ? <Problem error={error} again={again} /> : atEnd ? (
            <>
              <p>{t.thatIsAll}</p>
              <button type="button" className="button" onClick={() => scroller.current?.scrollTo({ top: 0, behavior: 'instant' })}>
                <ArrowUp size={16} /> {t.backToTop}
              </button>
            </>
          ) : (
            <span className="spinner" />
          )}
        </div>
      </div>
      {news !== null && (
        <button
          type="button"
          className="news"
          onClick={() => {
            setNews(null)
            over()
            scroller.current?.scrollTo({ top: 0, behavior: 'instant' })
          }}
        >
          <ArrowUp size={16} /> {t.newVideoBy(news)}
        </button>
      )}
      {desktop && (
        <div className="steps">
          <button type="button" className="step" aria-label={t.previous} title="↑" disabled={index === 0} onClick={() => go(-1)}>
            <ChevronUp />
          </button>
          <button type="button" className="step" aria-label={t.next} title="↓" disabled={index >= count - 1} onClick={() => go(1)}>
            <ChevronDown />
          </button>
        </div>
      )}
      {comments && video && <Comments key={video.id} video={video} close={() => setComments(false)} />}
    </div>
  )
}
