import { useEffect, useRef } from 'react'

// LoadMore calls load when the end of a list is about to scroll into view.
export function LoadMore({ load }: { load: () => void }) {
  const element = useRef<HTMLDivElement>(null)
  const latest = useRef(load)
  useEffect(() => {
    latest.current = load
  })
  useEffect(() => {
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) latest.current()
      },
      { rootMargin: '300px' },
    )
    if (element.current) observer.observe(element.current)
    return () => observer.disconnect()
  }, [])
  return (
    <div ref={element} className="load-more">
      <span className="spinner" />
    </div>
  )
}
