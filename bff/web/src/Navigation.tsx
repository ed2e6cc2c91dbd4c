import { House, Languages, LogIn, LogOut, MessageCircle, Moon, Plus, Sun, User } from 'lucide-react'
import { Link, useLocation } from 'wouter'
import { useUnreadCount } from './messages/inbox'
import { useSession } from './session/session'
import { useSignOut } from './session/useSignOut'
import { useText } from './text/text'
import { Avatar } from './ui/Avatar'
import { useTheme } from './ui/theme'

// Navigation is the main menu: a bar at the bottom on a phone, a column on the left on a wide screen.
export function Navigation() {
  const { t } = useText()
  const { viewer } = useSession()
  const unread = useUnreadCount()
  const [path] = useLocation()
  const current = (page: string) => path === page || (page !== '/' && path.startsWith(page + '/')) ? ('page' as const) : undefined
  const profile = viewer ? `/user/${viewer.databaseId}` : '/me'
  return (
    <nav className="navigation" aria-label={t.mainMenu}>
      <Link href="/" className="brand" aria-label="minidouyin">
        <img src="/icons/mark.svg" width={30} height={30} alt="" /> <span>minidouyin</span>
      </Link>
      <div className="tabs">
        <Link href="/" className="tab" aria-current={current('/')}><House /><span>{t.home}</span></Link>
        <Link href="/messages" className="tab" aria-current={current('/messages')}>
          <span className="tab-icon">
            <MessageCircle />
            {unread > 0 && <b className="badge" aria-label={t.unread(unread)}>{unread}</b>}
          </span>
          <span>{t.messages}</span>
        </Link>
        <Link href="/publish" className="tab plus" aria-label={t.publish} aria-current={current('/publish')}>
          <span className="plus-mark"><Plus strokeWidth={3} /></span><span>{t.publish}</span>
        </Link>
        <Link href={profile} className="tab" aria-current={current(profile)}>
          {viewer ? <Avatar url={viewer.avatarUrl} size={26} /> : <User />}<span>{t.me}</span>
        </Link>
      </div>
      <Settings />
    </nav>
  )
}

// Settings are shown on a wide screen only. On a phone they are on the viewer's profile.
function Settings() {
  const { t, switchLanguage } = useText()
  const [theme, switchTheme] = useTheme()
  const { viewer, openSignIn } = useSession()
  const signOut = useSignOut()
  return (
    <div className="settings">
      <button type="button" className="tab" onClick={switchTheme}>
        {theme === 'dark' ? <Sun /> : <Moon />}<span>{theme === 'dark' ? t.toLight : t.toDark}</span>
      </button>
      <button type="button" className="tab" onClick={switchLanguage}><Languages /><span>{t.otherLanguage}</span></button>
      {viewer ? (
        <button type="button" className="tab" onClick={signOut}><LogOut /><span>{t.signOut}</span></button>
      ) : (
        <button type="button" className="button primary sign-in-button" onClick={openSignIn}><LogIn size={18} /><span>{t.signIn}</span></button>
      )}
    </div>
  )
}
