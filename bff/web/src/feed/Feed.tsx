import { Clapperboard } from 'lucide-react'
import { useEffect, useMemo } from 'react'
import { useQuery } from 'urql'
import { unmask } from '../gql'
import { SlideFragmentDoc, WatchDocument } from '../gql/graphql'
import { isNotFound } from '../graph/errors'
import { useSession } from '../session/session'
import { useText } from '../text/text'
import { EmptyState, ErrorState } from '../ui/states'
import { Reel } from './Reel'
import { useFeed } from './useFeed'
import './feed.css'

// Feed shows all videos, newest first.
export default function Feed() {
  const feed = useFeed()
  const { t } = useText()
  if (feed.videos.length === 0) {
    if (feed.error) return <div className="feed-centered"><ErrorState error={feed.error} retry={feed.retry} /></div>
    if (feed.atEnd) return <div className="feed-centered"><EmptyState icon={<Clapperboard />} title={t.noVideos} detail={t.noVideosWhy} /></div>
    return <FeedSkeleton />
  }
  return <Reel {...feed} />
}

// Watch shows the video of a link, followed by the feed.
export function Watch({ id }: { id: string }) {
  const { signedIn } = useSession()
  const [{ data, error }, execute] = useQuery({ query: WatchDocument, variables: { id, signedIn } })
  const feed = useFeed()
  const { t } = useText()
  const video = unmask(SlideFragmentDoc, data?.video)
  const videos = useMemo(() => (video ? [video, ...feed.videos.filter((other) => other.id !== video.id)] : []), [video, feed.videos])
  useEffect(() => {
    if (video) document.title = `${video.title} · minidouyin`
    return () => {
      document.title = 'minidouyin'
    }
  }, [video])
  if (video) return <Reel {...feed} videos={videos} />
  if (isNotFound(error) || data?.video === null) {
    return <div className="feed-centered"><EmptyState icon={<Clapperboard />} title={t.notFound} detail={t.notFoundWhy} /></div>
  }
  if (error) return <div className="feed-centered"><ErrorState error={error} retry={() => execute({ requestPolicy: 'network-only' })} /></div>
  return <FeedSkeleton />
}

function FeedSkeleton() {
  const { t } = useText()
  return (
    <div className="feed-centered" role="status" aria-label={t.loading}>
      <div className="stage skeleton" />
    </div>
  )
}
