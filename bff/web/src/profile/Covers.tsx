import { Clapperboard, Heart } from 'lucide-react'
import { Link } from 'wouter'
import { type FragmentType, unmask } from '../gql'
import { CoverFragmentDoc, LikesDocument, WorksDocument } from '../gql/graphql'
import { useList } from '../graph/list'
import { useText } from '../text/text'
import { LoadMore } from '../ui/LoadMore'
import { EmptyState, ErrorState } from '../ui/states'

const pageSize = 24

// Works shows the videos that a user has published.
export function Works({ user }: { user: string }) {
  const { t } = useText()
  return <Grid {...useList(WorksDocument, { user, first: pageSize }, (data) => data.user?.videos)} emptyTitle={t.noWorks} />
}

// LikedVideos shows the videos that a user likes.
export function LikedVideos({ user }: { user: string }) {
  const { t } = useText()
  return <Grid {...useList(LikesDocument, { user, first: pageSize }, (data) => data.user?.likedVideos)} emptyTitle={t.noLikes} />
}

type CoverRef = { id: string } & FragmentType<typeof CoverFragmentDoc>
type Props = ReturnType<typeof useList<unknown, never, CoverRef>> & { emptyTitle: string }

function Grid({ nodes, error, fetching, hasMore, loadMore, reload, emptyTitle }: Props) {
  return (
    <>
      {nodes?.length === 0 && !fetching && <EmptyState icon={<Clapperboard />} title={emptyTitle} />}
      <ul className="covers">
        {nodes?.map((node) => <Cover key={node.id} cover={node} />)}
        {!nodes && !error && <CoverSkeletons />}
      </ul>
      {error && <ErrorState error={error} retry={reload} />}
      {hasMore && <LoadMore key={nodes?.length} load={loadMore} />}
    </>
  )
}

function Cover({ cover: masked }: { cover: CoverRef }) {
  const cover = unmask(CoverFragmentDoc, masked)
  const { formatCount } = useText()
  return (
    <li className="cover">
      <Link href={`/video/${cover.databaseId}`}>
        <img src={cover.coverUrl} alt={cover.title} loading="lazy" />
        <span className="cover-likes"><Heart size={14} aria-hidden /> {formatCount(cover.likeCount)}</span>
      </Link>
    </li>
  )
}

// CoverSkeletons are the items of a grid that is loading.
export const CoverSkeletons = () => Array.from({ length: 6 }, (_, i) => <li key={i} className="cover skeleton" aria-hidden />)
