import * as Tabs from '@radix-ui/react-tabs'
import { Clapperboard, Heart, Languages, LogOut, Moon, Pencil, Sun } from 'lucide-react'
import { lazy, Suspense, useEffect, useState } from 'react'
import { useQuery } from 'urql'
import { Link, useLocation } from 'wouter'
import { type FragmentType, unmask } from '../gql'
import { CoverFragmentDoc, LikesDocument, ProfileFragmentDoc, ProfileOfDocument, WorksDocument } from '../gql/graphql'
import { isMissing } from '../graph/client'
import { useList } from '../parts/hooks'
import { Empty, Problem, Reached } from '../parts/parts'
import { useTheme } from '../parts/theme'
import { useToast } from '../parts/toast'
import { FollowButton, People } from '../people/People'
import { useSession } from '../session/session'
import { useWords } from '../text/text'
import './profile.css'

const Edit = lazy(() => import('./Edit'))

// Profile shows a user: who it is, the works and the liked videos.
export default function Profile({ id }: { id: string }) {
  const { t, count } = useWords()
  const { viewer } = useSession()
  const [{ data, error }, again] = useQuery({ query: ProfileOfDocument, variables: { user: id }, requestPolicy: 'cache-and-network' })
  const [people, setPeople] = useState<'following' | 'followers' | null>(null)
  const [editing, setEditing] = useState(false)
  const [tab, setTab] = useState(() => (history.state as { tab?: string } | null)?.tab ?? 'works')
  const user = unmask(ProfileFragmentDoc, data?.user)

  useEffect(() => {
    if (user) document.title = `${user.name} · minidouyin`
    return () => {
      document.title = 'minidouyin'
    }
  }, [user])

  if (!user) {
    if (isMissing(error)) return <div className="page-alone"><Empty title={t.notFound} why={t.notFoundWhy} /></div>
    if (error) return <div className="page-alone"><Problem error={error} again={() => again({ requestPolicy: 'network-only' })} /></div>
    return <ProfileSkeleton />
  }
  const own = user.id === viewer?.id
  const choose = (chosen: string) => {
    setTab(chosen)
    history.replaceState({ ...(history.state as object | null), tab: chosen }, '') // for those who come back
  }
  return (
    <div className="profile">
      <header className="profile-head">
        <img className="profile-background" src={user.backgroundUrl} alt="" />
        <div className="profile-who">
          <img className="avatar profile-avatar" src={user.avatarUrl} alt="" width={96} height={96} />
          <div>
            <h1>{user.name}</h1>
            <p className="quiet">ID {user.databaseId}</p>
          </div>
        </div>
        <div className="profile-facts">
          <ul className="numbers">
            <li><span><b>{count(user.likesReceivedCount)}</b> {t.receivedLikes}</span></li>
            <li><button type="button" onClick={() => setPeople('following')}><b>{count(user.followingCount)}</b> {t.following}</button></li>
            <li><button type="button" onClick={() => setPeople('followers')}><b>{count(user.followerCount)}</b> {t.followers}</button></li>
          </ul>
          <p className="profile-signature">{user.signature || t.noSignature}</p>
          <div className="profile-actions">
            {own ? (
              <>
                <button type="button" className="button" onClick={() => setEditing(true)}><Pencil size={16} /> {t.editProfile}</button>
                <Settings />
              </>
            ) : (
              <>
                <FollowButton user={user} />
                <Link href={`/messages/${user.databaseId}`} className="button">{t.sendMessage}</Link>
              </>
            )}
          </div>
        </div>
      </header>
      <Tabs.Root value={tab} onValueChange={choose} className="profile-lists">
        <Tabs.List className="profile-tabs" aria-label={t.profile}>
          <Tabs.Trigger value="works">{t.works} <span>{count(user.videoCount)}</span></Tabs.Trigger>
          <Tabs.Trigger value="likes">{t.likes} <span>{count(user.likesGivenCount)}</span></Tabs.Trigger>
        </Tabs.List>
        <Tabs.Content value="works"><Works user={user.id} /></Tabs.Content>
        <Tabs.Content value="likes"><Liked user={user.id} /></Tabs.Content>
      </Tabs.Root>
      {people && <People user={user.id} which={people} close={() => setPeople(null)} />}
      {editing && <Suspense><Edit user={user} close={() => setEditing(false)} /></Suspense>}
    </div>
  )
}

// Settings are here for phones, whose navigation has no room for them.
function Settings() {
  const { t, switchLanguage } = useWords()
  const { end } = useSession()
  const [theme, switchTheme] = useTheme()
  const toast = useToast()
  const [, go] = useLocation()
  return (
    <div className="profile-settings">
      <button type="button" className="button" aria-label={theme === 'dark' ? t.toLight : t.toDark} onClick={switchTheme}>{theme === 'dark' ? <Sun size={18} /> : <Moon size={18} />}</button>
      <button type="button" className="button" aria-label={t.otherLanguage} onClick={switchLanguage}><Languages size={18} /></button>
      <button
        type="button"
        className="button"
        aria-label={t.signOut}
        onClick={() => {
          void end().then(() => {
            toast(t.signedOut)
            go('/')
          }, () => toast(t.problems.NETWORK ?? ''))
        }}
      >
        <LogOut size={18} />
      </button>
    </div>
  )
}

function Works({ user }: { user: string }) {
  const { t } = useWords()
  return <Grid {...useList(WorksDocument, { user, first: 24 }, (data) => data.user?.videos)} nothing={t.noWorks} />
}

function Liked({ user }: { user: string }) {
  const { t } = useWords()
  return <Grid {...useList(LikesDocument, { user, first: 24 }, (data) => data.user?.likedVideos)} nothing={t.noLikes} />
}

type CoverRef = { id: string } & FragmentType<typeof CoverFragmentDoc>

function Grid({ nodes, error, fetching, hasMore, more, again, nothing }: Omit<ReturnType<typeof useList<unknown, never, CoverRef>>, 'data'> & { nothing: string }) {
  return (
    <>
      {nodes?.length === 0 && !fetching && <Empty icon={<Clapperboard />} title={nothing} />}
      <ul className="covers">
        {nodes?.map((node) => <CoverTile key={node.id} cover={node} />)}
        {!nodes && !error && Array.from({ length: 6 }, (_, i) => <li key={i} className="cover skeleton" aria-hidden />)}
      </ul>
      {error && <Problem error={error} again={again} />}
      {hasMore && <Reached key={nodes?.length} call={more} />}
    </>
  )
}

function CoverTile({ cover: masked }: { cover: CoverRef }) {
  const cover = unmask(CoverFragmentDoc, masked)
  const { count } = useWords()
  return (
    <li className="cover">
      <Link href={`/video/${cover.databaseId}`}>
        <img src={cover.coverUrl} alt={cover.title} loading="lazy" />
        <span className="cover-likes"><Heart size={14} aria-hidden /> {count(cover.likeCount)}</span>
      </Link>
    </li>
  )
}

function ProfileSkeleton() {
  const { t } = useWords()
  return (
    <div className="profile" role="status" aria-label={t.loading}>
      <header className="profile-head">
        <div className="profile-who"><span className="skeleton round huge" /><span className="skeleton text" /></div>
        <div className="profile-facts"><span className="skeleton text" /><span className="skeleton text" /></div>
      </header>
      <ul className="covers">{Array.from({ length: 6 }, (_, i) => <li key={i} className="cover skeleton" />)}</ul>
    </div>
  )
}
