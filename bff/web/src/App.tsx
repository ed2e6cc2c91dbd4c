import { Compass, House, Languages, LogIn, LogOut, MessageCircle, Moon, Plus, Sun, User, WifiOff } from 'lucide-react'
import { Fragment, lazy, type ReactNode, Suspense } from 'react'
import { Link, Redirect, Route, Switch, useLocation } from 'wouter'
import Feed, { Watch } from './feed/Feed'
import { Inbox, useUnread } from './messages/inbox'
import { useCutOff } from './parts/hooks'
import { Avatar, Empty } from './parts/parts'
import { useTheme } from './parts/theme'
import { useToast } from './parts/toast'
import { useSession } from './session/session'
import { useWords } from './text/text'

const Profile = lazy(() => import('./profile/Profile'))
const Publish = lazy(() => import('./publish/Publish'))
const Messages = lazy(() => import('./messages/Messages'))
const SignInPage = lazy(() => import('./session/SignInPage'))

// App is the frame of all pages: where one can go, and what is there.
export function App() {
  return (
    <Inbox>
      <div className="shell">
        <Navigation />
        <main>
          <CutOff />
          <Suspense fallback={<div className="page-loading"><span className="spinner" /></div>}>
            <Switch>
              <Route path="/" component={Feed} />
              <Route path="/video/:id">{({ id }) => <Watch key={id} id={id} />}</Route>
              <Route path="/user/:id">{({ id }) => <Profile key={id} id={id} />}</Route>
              <Route path="/me"><Own>{(id) => <Redirect to={`/user/${id}`} replace />}</Own></Route>
              <Route path="/messages"><Own>{() => <Messages />}</Own></Route>
              <Route path="/messages/:id">{({ id }) => <Own>{() => <Messages peer={id} />}</Own>}</Route>
              <Route path="/publish"><Own>{() => <Publish />}</Own></Route>
              <Route path="/sign-in" component={SignInPage} />
              <Route><NotFound /></Route>
            </Switch>
          </Suspense>
        </main>
      </div>
    </Inbox>
  )
}

// Own is a page that only a signed-in viewer has; others may sign in there.
function Own({ children }: { children: (id: number) => ReactNode }) {
  const { viewer, loaded, openSignIn } = useSession()
  const { t } = useWords()
  if (viewer) return <Fragment key={viewer.id}>{children(viewer.databaseId)}</Fragment>
  if (!loaded) return <div className="page-loading"><span className="spinner" /></div>
  return (
    <div className="page-alone">
      <Empty icon={<User />} title={t.needSession} why={t.signInWhy}>
        <button type="button" className="button primary" onClick={openSignIn}>{t.signIn}</button>
      </Empty>
    </div>
  )
}

function NotFound() {
  const { t } = useWords()
  return (
    <div className="page-alone">
      <Empty icon={<Compass />} title={t.notFound} why={t.notFoundWhy}>
        <Link href="/" className="button">{t.goHome}</Link>
      </Empty>
    </div>
  )
}

function CutOff() {
  const { t } = useWords()
  if (!useCutOff()) return null
  return <div className="cut-off" role="status"><WifiOff size={16} /> {t.cutOff}</div>
}

function Navigation() {
  const { t, switchLanguage } = useWords()
  const [theme, switchTheme] = useTheme()
  const { viewer, openSignIn, end } = useSession()
  const toast = useToast()
  const unread = useUnread()
  const [path, go] = useLocation()
  const at = (page: string) => path === page || (page !== '/' && path.startsWith(page + '/')) ? ('page' as const) : undefined
  const own = viewer ? `/user/${viewer.databaseId}` : '/me'

  return (
    <nav className="navigation" aria-label={t.mainMenu}>
      <Link href="/" className="brand" aria-label="minidouyin">
        <img src="/icons/mark.svg" width={30} height={30} alt="" /> <span>minidouyin</span>
      </Link>
      <div className="tabs">
        <Link href="/" className="tab" aria-current={at('/')}><House /><span>{t.home}</span></Link>
        <Link href="/messages" className="tab" aria-current={at('/messages')}>
          <span className="tab-icon">
            <MessageCircle />
            {unread > 0 && <b className="badge" aria-label={t.unread(unread)}>{unread}</b>}
          </span>
          <span>{t.messages}</span>
        </Link>
        <Link href="/publish" className="tab plus" aria-label={t.publish} aria-current={at('/publish')}><span className="plus-mark"><Plus strokeWidth={3} /></span><span>{t.publish}</span></Link>
        <Link href={own} className="tab" aria-current={at(own)}>
          {viewer ? <Avatar url={viewer.avatarUrl} size={26} /> : <User />}<span>{t.me}</span>
        </Link>
      </div>
      <div className="extras">
        <button type="button" className="tab" onClick={switchTheme}>{theme === 'dark' ? <Sun /> : <Moon />}<span>{theme === 'dark' ? t.toLight : t.toDark}</span></button>
        <button type="button" className="tab" onClick={switchLanguage}><Languages /><span>{t.otherLanguage}</span></button>
        {viewer ? (
          <button
            type="button"
            className="tab"
            onClick={() => {
              void end().then(() => {
                toast(t.signedOut)
                go('/')
              }, () => toast(t.problems.NETWORK ?? ''))
            }}
          >
            <LogOut /><span>{t.signOut}</span>
          </button>
        ) : (
          <button type="button" className="button primary sign-in-button" onClick={openSignIn}><LogIn size={18} /><span>{t.signIn}</span></button>
        )}
      </div>
    </nav>
  )
}
