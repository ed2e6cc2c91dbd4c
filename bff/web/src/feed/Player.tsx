import { type RefObject, useCallback, useEffect, useRef, useState } from 'react'
import type { SlideFragment } from '../gql/graphql'
import { useReconnect } from '../graph/connection'
import { setMuted } from './sound'

interface Props {
  video: SlideFragment
  active: boolean // whether this is the watched video
  preload: boolean
  paused: boolean
  muted: boolean
}

// Player plays a video while it is active and not paused.
export function Player({ video, active, preload, paused, muted }: Props) {
  const player = useRef<HTMLVideoElement>(null)
  const bar = useRef<HTMLDivElement>(null)
  const [waiting, setWaiting] = useState(false)
  const [wide, setWide] = useState(false)
  usePlayback(player, active && !paused, muted)
  useEffect(() => {
    if (!active && player.current) player.current.currentTime = 0
  }, [active])
  return (
    <>
      <video
        ref={player}
        className="player"
        data-wide={wide}
        src={video.playUrl}
        poster={video.coverUrl}
        preload={preload ? 'auto' : 'metadata'}
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
      {active && waiting && <span className="spinner overlay" />}
      <div className="progress" aria-hidden>
        <div ref={bar} />
      </div>
    </>
  )
}

// usePlayback plays or pauses a video. It pauses while the page is hidden, and loads a video again that failed offline.
function usePlayback(playerRef: RefObject<HTMLVideoElement | null>, playing: boolean, muted: boolean) {
  useEffect(() => {
    const element = playerRef.current
    if (!element) return
    const update = () => {
      if (!playing || document.hidden) return element.pause()
      element.play().catch((error: unknown) => {
        // Before the user interacts with the page, browsers play only muted videos.
        if (error instanceof DOMException && error.name === 'NotAllowedError') setMuted(true)
      })
    }
    update()
    document.addEventListener('visibilitychange', update)
    return () => document.removeEventListener('visibilitychange', update)
  }, [playerRef, playing, muted])

  useReconnect(
    useCallback(() => {
      const element = playerRef.current
      if (!element?.error) return
      element.load()
      if (!element.paused || playing) void element.play().catch(() => undefined)
    }, [playerRef, playing]),
  )
}
