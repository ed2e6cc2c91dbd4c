import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { savedPosition } from './useFeed'

// useWatched returns the ID of the video that fills most of the screen, and whether the user has paused it. It starts at
// the saved position.
export function useWatched(scrollerRef: RefObject<HTMLElement | null>, count: number) {
  const [watched, setWatched] = useState(() => savedPosition()?.watched)
  const [paused, setPaused] = useState(false)

  useLayoutEffect(() => {
    const root = scrollerRef.current
    const saved = savedPosition()?.watched
    const index = [...(root?.querySelectorAll<HTMLElement>('.slide') ?? [])].findIndex(({ dataset }) => dataset.video === saved)
    if (root && index > 0) root.scrollTo({ top: index * root.clientHeight, behavior: 'instant' })
  }, [scrollerRef])

  useEffect(() => {
    const root = scrollerRef.current
    if (!root) return
    const observer = new IntersectionObserver(
      (entries) => {
        const visible = entries.find((entry) => entry.isIntersecting)
        if (!visible) return
        setWatched((visible.target as HTMLElement).dataset.video)
        setPaused(false)
      },
      { root, threshold: 0.6 },
    )
    for (const slide of root.querySelectorAll('.slide')) observer.observe(slide)
    return () => observer.disconnect()
  }, [scrollerRef, count])

  return { watched, paused, setPaused }
}

// useScrollBy returns a function that scrolls by a number of slides. While a scroll is still running, the next one starts
// from its target, so that no step is lost.
export function useScrollBy(scrollerRef: RefObject<HTMLElement | null>, count: number) {
  const target = useRef({ slide: 0, until: 0 }) // until is the time when the scroll has ended at the latest
  return useCallback(
    (step: number) => {
      const root = scrollerRef.current
      if (!root) return
      const reducedMotion = window.matchMedia('(prefers-reduced-motion: reduce)').matches
      const now = performance.now()
      const from = now < target.current.until ? target.current.slide : Math.round(root.scrollTop / root.clientHeight)
      const slide = Math.max(0, Math.min(from + step, count))
      target.current = { slide, until: now + 1_000 }
      root.scrollTo({ top: slide * root.clientHeight, behavior: reducedMotion ? 'instant' : 'smooth' })
    },
    [scrollerRef, count],
  )
}
