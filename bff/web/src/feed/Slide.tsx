import { Heart, Music2, Play, VolumeX } from 'lucide-react'
import { lazy, type PointerEvent, Suspense, useRef, useState } from 'react'
import { Link } from 'wouter'
import type { SlideFragment } from '../gql/graphql'
import { useText } from '../text/text'
import { useLike } from './actions'
import { Player } from './Player'
import { SlideActions } from './SlideActions'
import { setMuted, useMuted } from './sound'

const EditVideo = lazy(() => import('./EditVideo'))

interface Props {
  video: SlideFragment
  distance: number // from the watched slide
  paused: boolean
  setPaused: (paused: boolean) => void
  openComments: () => void
}

// Slide is one video of the feed, as large as the screen. Only slides close to the watched one have a player. All other
// slides are inert, so that the focus moves with the watched slide.
export function Slide({ video, distance, paused, setPaused, openComments }: Props) {
  const { t } = useText()
  const muted = useMuted()
  const [editing, setEditing] = useState(false)
  const { hearts, tap, removeHeart } = useTaps(video, () => {
    if (muted && !paused) setMuted(false)
    else setPaused(!paused)
  })
  const name = video.author?.name ?? t.someone
  const active = distance === 0
  const hasPlayer = distance <= 2
  return (
    <article className="slide" data-video={video.id} aria-label={t.videoBy(name)} inert={!active}>
      <img className="slide-backdrop" src={hasPlayer ? video.coverUrl : undefined} alt="" />
      <div className="stage">
        <div className="screen" onPointerUp={tap}>
          {hasPlayer ? (
            <Player video={video} active={active} preload={distance <= 1} paused={paused} muted={muted} />
          ) : (
            <img className="player" src={video.coverUrl} alt="" loading="lazy" />
          )}
          {active && paused && <Play className="paused" aria-hidden />}
          {hearts.map((heart) => (
            <Heart key={heart.key} className="flying-heart" aria-hidden style={{ left: heart.x, top: heart.y }} onAnimationEnd={() => removeHeart(heart)} />
          ))}
        </div>
        {active && muted && !paused && (
          <button type="button" className="sound-hint" onClick={() => setMuted(false)}><VolumeX size={16} /> {t.tapToUnmute}</button>
        )}
        <Caption video={video} name={name} />
        <SlideActions video={video} name={name} openComments={openComments} openEditor={() => setEditing(true)} />
      </div>
      {editing && <Suspense><EditVideo video={video} close={() => setEditing(false)} /></Suspense>}
    </article>
  )
}

function Caption({ video, name }: { video: SlideFragment; name: string }) {
  const { formatAge } = useText()
  return (
    <div className="caption">
      {video.author ? (
        <Link href={`/user/${video.author.databaseId}`} className="caption-name">@{name}</Link>
      ) : (
        <span className="caption-name">{name}</span>
      )}
      <span className="caption-time">{formatAge(video.createdAt)}</span>
      <p className="caption-title">{video.title}</p>
      <p className="caption-sound">
        <Music2 size={13} aria-hidden /> {name}
      </p>
    </div>
  )
}

interface FlyingHeart {
  key: number
  x: number
  y: number
}

const doubleTapTime = 280 // ms

// useTaps handles taps on a video: a double tap likes it and shows a heart, a single tap calls singleTap.
function useTaps(video: SlideFragment, singleTap: () => void) {
  const like = useLike()
  const [hearts, setHearts] = useState<FlyingHeart[]>([])
  const last = useRef({ time: 0, timer: 0 })

  function tap(event: PointerEvent<HTMLElement>) {
    if (event.button !== 0) return
    const box = event.currentTarget.getBoundingClientRect()
    clearTimeout(last.current.timer)
    if (event.timeStamp - last.current.time < doubleTapTime) {
      const heart = { key: event.timeStamp, x: event.clientX - box.left, y: event.clientY - box.top }
      setHearts((all) => [...all.slice(-5), heart])
      if (!video.viewerHasLiked) like(video, true)
    } else {
      last.current.timer = window.setTimeout(singleTap, doubleTapTime)
    }
    last.current.time = event.timeStamp
  }
  return { hearts, tap, removeHeart: (heart: FlyingHeart) => setHearts((all) => all.filter((other) => other !== heart)) }
}
