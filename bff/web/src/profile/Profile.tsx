import * as Tabs from '@radix-ui/react-tabs'
import { Languages, LogOut, Moon, Pencil, Sun } from 'lucide-react'
import { lazy, Suspense, useEffect, useState } from 'react'
import { useQuery } from 'urql'
import { Link } from 'wouter'
import { unmask } from '../gql'
import { type ProfileFragment, ProfileFragmentDoc, ProfileOfDocument } from '../gql/graphql'
import { isNotFound } from '../graph/errors'
import { FollowButton, People } from '../people/People'
import { useSession } from '../session/session'
import { useSignOut } from '../session/useSignOut'
import { useText } from '../text/text'
import { EmptyState, ErrorState } from '../ui/states'
import { useTheme } from '../ui/theme'
import { CoverSkeletons, LikedVideos, Works } from './Covers'
import './profile.css'

const Edit = lazy(() => import('./Edit'))

// Profile shows a user with the user's videos and liked videos.
export default function Profile({ id }: { id: string }) {
  const { t } = useText()
  const [{ data, error }, execute] = useQuery({ query: ProfileOfDocument, variables: { user: id }, requestPolicy: 'cache-and-network' })
  const user = unmask(ProfileFragmentDoc, data?.user)

  useEffect(() => {
    if (user) document.title = `${user.name} · minidouyin`
    return () => {
      document.title = 'minidouyin'
    }
  }, [user])

  if (!user) {
    if (isNotFound(error)) return <div className="page-centered"><EmptyState title={t.notFound} detail={t.notFoundWhy} /></div>
    if (error) return <div className="page-centered"><ErrorState error={error} retry={() => execute({ requestPolicy: 'network-only' })} /></div>
    return <ProfileSkeleton />
  }
  return (
    <div className="profile">
      <ProfileHead user={user} />
      <Videos user={user} />
    </div>
  )
}

function ProfileHead({ user }: { user: ProfileFragment }) {
  const { t, formatCount } = useText()
  const { viewer } = useSession()
  const [people, setPeople] = useState<'following' | 'followers' | null>(null)
  return (
    <header className="profile-head">
      <img className="profile-background" src={user.backgroundUrl} alt="" />
      <div className="profile-user">
        <img className="avatar profile-avatar" src={user.avatarUrl} alt="" width={96} height={96} />
        <div>
          <h1>{user.name}</h1>
          <p className="secondary">ID {user.databaseId}</p>
        </div>
      </div>
      <div className="profile-facts">
        <ul className="counts">
          <li><span><b>{formatCount(user.likesReceivedCount)}</b> {t.receivedLikes}</span></li>
          <li><button type="button" onClick={() => setPeople('following')}><b>{formatCount(user.followingCount)}</b> {t.following}</button></li>
          <li><button type="button" onClick={() => setPeople('followers')}><b>{formatCount(user.followerCount)}</b> {t.followers}</button></li>
        </ul>
        <p className="profile-signature">{user.signature || t.noSignature}</p>
        <div className="profile-actions">
          {user.id === viewer?.id ? <OwnActions user={user} /> : (
            <>
              <FollowButton user={user} />
              <Link href={`/messages/${user.databaseId}`} className="button">{t.sendMessage}</Link>
            </>
          )}
        </div>
      </div>
      {people && <People user={user.id} list={people} close={() => setPeople(null)} />}
    </header>
  )
}

// OwnActions are the buttons on the viewer's own profile. They include the settings, which the navigation shows on a wide
// screen only.
function OwnActions({ user }: { user: ProfileFragment }) {
  const { t, switchLanguage } = useText()
  const [theme, switchTheme] = useTheme()
  const signOut = useSignOut()
  const [editing, setEditing] = useState(false)
  return (
    <>
      <button type="button" className="button" onClick={() => setEditing(true)}><Pencil size={16} /> {t.editProfile}</button>
      <div className="profile-settings">
        <button type="button" className="button" aria-label={theme === 'dark' ? t.toLight : t.toDark} onClick={switchTheme}>
          {theme === 'dark' ? <Sun size={18} /> : <Moon size={18} />}
        </button>
        <button type="button" className="button" aria-label={t.otherLanguage} onClick={switchLanguage}><Languages size={18} /></button>
        <button type="button" className="button" aria-label={t.signOut} onClick={signOut}><LogOut size={18} /></button>
      </div>
      {editing && <Suspense><Edit user={user} close={() => setEditing(false)} /></Suspense>}
    </>
  )
}

// Videos shows the user's videos and liked videos in two tabs. The open tab is stored in the history entry, so that going
// back restores it.
function Videos({ user }: { user: ProfileFragment }) {
  const { t, formatCount } = useText()
  const [tab, setTab] = useState(() => (history.state as { tab?: string } | null)?.tab ?? 'works')
  const choose = (chosen: string) => {
    setTab(chosen)
    history.replaceState({ ...(history.state as object | null), tab: chosen }, '')
  }
  return (
    <Tabs.Root value={tab} onValueChange={choose} className="profile-lists">
      <Tabs.List className="profile-tabs" aria-label={t.profile}>
        <Tabs.Trigger value="works">{t.works} <span>{formatCount(user.videoCount)}</span></Tabs.Trigger>
        <Tabs.Trigger value="likes">{t.likes} <span>{formatCount(user.likesGivenCount)}</span></Tabs.Trigger>
      </Tabs.List>
      <Tabs.Content value="works"><Works user={user.id} /></Tabs.Content>
      <Tabs.Content value="likes"><LikedVideos user={user.id} /></Tabs.Content>
    </Tabs.Root>
  )
}

function ProfileSkeleton() {
  const { t } = useText()
  return (
    <div className="profile" role="status" aria-label={t.loading}>
      <header className="profile-head">
        <div className="profile-user"><span className="skeleton round huge" /><span className="skeleton text" /></div>
        <div className="profile-facts"><span className="skeleton text" /><span className="skeleton text" /></div>
      </header>
      <ul className="covers"><CoverSkeletons /></ul>
    </div>
  )
}
