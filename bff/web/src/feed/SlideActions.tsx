import { Check, Ellipsis, Heart, MessageCircle, Plus, Share2, Volume2, VolumeX } from 'lucide-react'
import { Link } from 'wouter'
import type { SlideFragment } from '../gql/graphql'
import { useSession } from '../session/session'
import { useText } from '../text/text'
import { Avatar } from '../ui/Avatar'
import { useFollow, useLike, useShare } from './actions'
import { setMuted, useMuted } from './sound'

interface Props {
  video: SlideFragment
  name: string // of the author
  openComments: () => void
  openEditor: () => void
}

// SlideActions is the column of buttons next to a video.
export function SlideActions({ video, name, openComments, openEditor }: Props) {
  const { t, formatCount } = useText()
  const { viewer } = useSession()
  const muted = useMuted()
  const like = useLike()
  const share = useShare()
  const liked = video.viewerHasLiked ?? false
  const likeCount = formatCount(video.likeCount)
  const commentCount = formatCount(video.commentCount)
  return (
    <div className="actions">
      <Author video={video} name={name} />
      <button
        type="button"
        className="action like"
        data-on={liked}
        aria-pressed={liked}
        aria-label={`${t.like}, ${likeCount}`}
        onClick={() => like(video, !liked)}
      >
        <Heart />
        <span>{likeCount}</span>
      </button>
      <button type="button" className="action" aria-label={`${t.comments}, ${commentCount}`} onClick={openComments}>
        <MessageCircle />
        <span>{commentCount}</span>
      </button>
      <button type="button" className="action" aria-label={t.share} onClick={() => void share(video)}>
        <Share2 />
        <span>{t.share}</span>
      </button>
      {video.author && video.author.id === viewer?.id && (
        <button type="button" className="action small" aria-label={t.editVideo} onClick={openEditor}>
          <Ellipsis />
        </button>
      )}
      <button type="button" className="action small" aria-label={muted ? t.unmute : t.mute} onClick={() => setMuted(!muted)}>
        {muted ? <VolumeX /> : <Volume2 />}
      </button>
    </div>
  )
}

// Author links to the author's profile, and has a button to follow an author who is not the viewer.
function Author({ video: { author }, name }: { video: SlideFragment; name: string }) {
  const { t } = useText()
  const { viewer } = useSession()
  const follow = useFollow()
  if (!author) return null
  const following = author.viewerIsFollowing ?? false
  return (
    <div className="action-author">
      <Link href={`/user/${author.databaseId}`} aria-label={t.openProfile(name)}>
        <Avatar url={author.avatarUrl} size={48} />
      </Link>
      {author.id !== viewer?.id && (
        <button
          type="button"
          className="action-follow"
          data-on={following}
          aria-label={following ? t.unfollow : t.follow}
          aria-pressed={following}
          onClick={() => follow(author, !following)}
        >
          {following ? <Check size={14} strokeWidth={3} /> : <Plus size={14} strokeWidth={3} />}
        </button>
      )}
    </div>
  )
}
