import { Ellipsis, Heart, MessageCircle, Music2, Play, Plus, Check, Share2, Volume2, VolumeX } from 'lucide-react'
import { lazy, type PointerEvent, Suspense, useCallback, useEffect, useRef, useState } from 'react'
import { Link } from 'wouter'
import type { SlideFragment } from '../gql/graphql'
import { Avatar } from '../parts/parts'
import { useReconnect } from '../parts/hooks'
import { useSession } from '../session/session'
import { useWords } from '../text/text'
import { useFollow, useLike, useShare } from './actions'
import { setMuted, useMuted } from './sound'

const OwnVideo = lazy(() => import('./OwnVideo'))

interface Props {
  video: SlideFragment
  near: number // how many slides away from the one that is watched
  paused: boolean
  setPaused: (paused: boolean) => void
  openComments: () => void
}

const doubleTap = 280 // ms

// Slide is one video of the feed, as large as the screen. Only those near the one that is watched have a player, and only
// that one itself can be acted on: the keys that change videos take the focus along.
export function Slide({ video, near, paused, setPaused, openComments }: Props) {
  const { t, count, ago } = useWords()
  const { viewer } = useSession()
  const muted = useMuted()
  const like = useLike()
  const follow = useFollow()
  const share = useShare()
  const [editing, setEditing] = useState(false)
  const [hearts, setHearts] = useState<{ key: number; x: number; y: number }[]>([])
  const lastTap = useRef({ time: 0, timer: 0 })
  const author = video.author
  const name = author?.name ?? t.someone
  const active = near === 0

  function tap(event: PointerEvent<HTMLElement>) {
    if (event.button !== 0) return
    const box = event.currentTarget.getBoundingClientRect()
    clearTimeout(lastTap.current.timer)
    if (event.timeStamp - lastTap.current.time < doubleTap) {
      const heart = { key: event.timeStamp, x: event.clientX - box.left, y: event.clientY - box.top }
      setHearts((all) => [...all.slice(-5), heart])
      if (!video.viewerHasLiked) like(video, true)
    } else {
      lastTap.current.timer = window.setTimeout(() => {
        if (muted && !paused) setMuted(false)
        else setPaused(!paused)
      }, doubleTap)
    }
    lastTap.current.time = event.timeStamp
  }

  return (
    <article className="slide" data-video={video.id} aria-label={t.videoBy(name)} inert={!active}>
      <img className="slide-backdrop" src={near <= 2 ? video.coverUrl : undefined} alt="" />
      <div className="stage">
        <div className="screen" onPointerUp={tap}>
          {near <= 2 ? <Player video={video} active={active} ahead={near <= 1} paused={paused} muted={muted} /> : <img className="player" src={video.coverUrl} alt="" loading="lazy" />}
          {active && paused && <Play className="paused" aria-hidden />}
          {hearts.map((heart) => (
            <Heart
              key={heart.key}
              className="flying-heart"
              aria-hidden
              style={{ left: heart.x, top: heart.y }}
              onAnimationEnd={() => setHearts((all) => all.filter((other) => other !== heart))}
            />
          ))}
        </div>
        {active && muted && !paused && (
          <button type="button" className="sound-hint" onClick={() => setMuted(false)}>
            <VolumeX size={16} /> {t.tapToUnmute}
          </button>
        )}
        <div className="caption">
          {author ? (
            <Link href={`/user/${author.databaseId}`} className="caption-name">
              @{name}
            </Link>
          ) : (
            <span className="caption-name">{name}</span>
          )}
          <span className="caption-time">{ago(video.createdAt)}</span>
          <p className="caption-title">{video.title}</p>
          <p className="caption-sound">
            <Music2 size={13} aria-hidden /> {name}
          </p>
        </div>
        <div className="actions">
          {author && (
            <div className="action-author">
              <Link href={`/user/${author.databaseId}`} aria-label={t.openProfile(name)}>
                <Avatar url={author.avatarUrl} size={48} />
              </Link>
              {author.id !== viewer?.id && (
                <button
                  type="button"
                  className="action-follow"
                  data-on={author.viewerIsFollowing ?? false}
                  aria-label={author.viewerIsFollowing ? t.unfollow : t.follow}
                  aria-pressed={author.viewerIsFollowing ?? false}
                  onClick={() => follow(author, !author.viewerIsFollowing)}
                >
                  {author.viewerIsFollowing ? <Check size={14} strokeWidth={3} /> : <Plus size={14} strokeWidth={3} />}
                </button>
              )}
            </div>
          )}
          <button
            type="button"
            className="action like"
            data-on={video.viewerHasLiked ?? false}
            aria-pressed={video.viewerHasLiked ?? false}
            aria-label={`${t.like}, ${count(video.likeCount)}`}
            onClick={() => like(video, !video.viewerHasLiked)}
          >
            <Heart />
            <span>{count(video.likeCount)}</span>
          </button>
          <button type="button" className="action" aria-label={`${t.comments}, ${count(video.commentCount)}`} onClick={openComments}>
            <MessageCircle />
            <span>{count(video.commentCount)}</span>
          </button>
          <button type="button" className="action" aria-label={t.share} onClick={() => void share(video)}>
            <Share2 />
            <span>{t.share}</span>
          </button>
          {author && author.id === viewer?.id && (
            <button type="button" className="action small" aria-label={t.editVideo} onClick={() => setEditing(true)}>
              <Ellipsis />
            </button>
          )}
          <button type="button" className="action small" aria-label={muted ? t.unmute : t.mute} onClick={() => setMuted(!muted)}>
            {muted ? <VolumeX /> : <Volume2 />}
          </button>
        </div>
      </div>
      {editing && <Suspense><OwnVideo video={video} close={() => setEditing(false)} /></Suspense>}
    </article>
  )
}

interface PlayerProps {
  video: SlideFragment
  active: boolean
  ahead: boolean
  paused: boolean
  muted: boolean
}

function Player({ video, active, ahead, paused, muted }: PlayerProps) {
  const player = useRef<HTMLVideoElement>(null)
  const bar = useRef<HTMLDivElement>(null)
  const [waiting, setWaiting] = useState(false)
  const [wide, setWide] = useState(false)
  const playing = active && !paused

  useEffect(() => {
    const element = player.current
    if (!element) return
    const run = () => {
      if (!playing || document.hidden) return element.pause()
      element.play().catch((refusal: unknown) => {
        // Without a touch of the page before, only silent videos may start.
        if (refusal instanceof DOMException && refusal.name === 'NotAllowedError') setMuted(true)
      })
    }
    run()
    document.addEventListener('visibilitychange', run)
    return () => document.removeEventListener('visibilitychange', run)
  }, [playing, muted])

  useEffect(() => {
    if (!active && player.current) player.current.currentTime = 0
  }, [active])

  // A player that broke with the connection loads again when that is back.
  useReconnect(
    useCallback(() => {
      const element = player.current
      if (!element?.error) return
      element.load()
      if (!element.paused || playing) void element.play().catch(() => undefined)
    }, [playing]),
  )

  return (
    <>
      <video
        ref={player}
        className="player"
        data-wide={wide}
        src={video.playUrl}
        poster={video.coverUrl}
        preload={ahead ? 'auto' : 'metadata'}
        muted={muted}
        loop
        playsInline
        disablePictureInPicture
        onLoadedMetadata={(event) => setWide(event.currentTarget.videoWidth > event.currentTarget.videoHeight * 0.8)}
        onWaiting={() => setWaiting(true)}
        onPlaying={() => setWaiting(false)}
        onTimeUpdate={(event) => {
          const { currentTime, duration } = event.currentTarget
          if (bar.current && duration) bar.current.style.transform = `scaleX(${currentTime / duration})`
        }}
      />
      {active && waiting && <span className="spinner over" />}
      <div className="progress" aria-hidden>
        <div ref={bar} />
      </div>
    </>
  )
}
