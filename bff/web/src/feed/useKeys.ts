import { type Dispatch, type SetStateAction, useEffect } from 'react'
import type { SlideFragment } from '../gql/graphql'
import { useLike } from './actions'
import { setMuted, useMuted } from './sound'

interface Controls {
  scrollBy: (step: number) => void
  setPaused: Dispatch<SetStateAction<boolean>>
  setCommentsOpen: Dispatch<SetStateAction<boolean>>
}

// useKeys controls the watched video with the keyboard: arrows change the video, space pauses it, L likes it, C opens
// its comments, M mutes.
export function useKeys(video: SlideFragment | undefined, { scrollBy, setPaused, setCommentsOpen }: Controls) {
  const muted = useMuted()
  const like = useLike()
  useEffect(() => {
    if (!video) return
    const actions: Partial<Record<string, () => void>> = {
      arrowdown: () => scrollBy(1),
      arrowup: () => scrollBy(-1),
      ' ': () => setPaused((paused) => !paused),
      l: () => like(video, !video.viewerHasLiked),
      c: () => setCommentsOpen((open) => !open),
      m: () => setMuted(!muted),
    }
    function onKeyDown(event: KeyboardEvent) {
      const target = event.target as HTMLElement
      if (event.ctrlKey || event.metaKey || event.altKey || target.closest('input, textarea, dialog, [contenteditable]')) return
      if (event.repeat && !event.key.startsWith('Arrow')) return
      if (event.key === 'Escape') return setCommentsOpen(false)
      if (event.key === ' ' && target.closest('button, a')) return
      const action = actions[event.key.toLowerCase()]
      if (!action) return
      action()
      event.preventDefault()
    }
    window.addEventListener('keydown', onKeyDown)
    return () => window.removeEventListener('keydown', onKeyDown)
  }, [video, muted, like, scrollBy, setPaused, setCommentsOpen])
}
