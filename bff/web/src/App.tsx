import { Compass, User, WifiOff } from 'lucide-react'
import { Fragment, lazy, type ReactNode, Suspense } from 'react'
import { Link, Redirect, Route, Switch } from 'wouter'
import Feed, { Watch } from './feed/Feed'
import { useOffline } from './graph/connection'
import { InboxProvider } from './messages/inbox'
import { Navigation } from './Navigation'
import { useSession } from './session/session'
import { useText } from './text/text'
import { EmptyState } from './ui/states'

const Profile = lazy(() => import('./profile/Profile'))
const Publish = lazy(() => import('./publish/Publish'))
const Messages = lazy(() => import('./messages/Messages'))
const SignInPage = lazy(() => import('./session/SignInPage'))

// App is the navigation and the page for the current address.
export function App() {
  return (
    <InboxProvider>
      <div className="shell">
        <Navigation />
        <main>
          <OfflineNotice />
          <Suspense fallback={<div className="page-loading"><span className="spinner" /></div>}>
            <Switch>
              <Route path="/" component={Feed} />
              <Route path="/video/:id">{({ id }) => <Watch key={id} id={id} />}</Route>
              <Route path="/user/:id">{({ id }) => <Profile key={id} id={id} />}</Route>
              <Route path="/me"><ViewerOnly>{(id) => <Redirect to={`/user/${id}`} replace />}</ViewerOnly></Route>
              <Route path="/messages"><ViewerOnly>{() => <Messages />}</ViewerOnly></Route>
              <Route path="/messages/:id">{({ id }) => <ViewerOnly>{() => <Messages peer={id} />}</ViewerOnly>}</Route>
              <Route path="/publish"><ViewerOnly>{() => <Publish />}</ViewerOnly></Route>
              <Route path="/sign-in" component={SignInPage} />
              <Route><NotFound /></Route>
            </Switch>
          </Suspense>
        </main>
      </div>
    </InboxProvider>
  )
}

// ViewerOnly shows its children to a signed-in user, and a sign-in button to everyone else.
function ViewerOnly({ children }: { children: (id: number) => ReactNode }) {
  const { viewer, loaded, openSignIn } = useSession()
  const { t } = useText()
  if (viewer) return <Fragment key={viewer.id}>{children(viewer.databaseId)}</Fragment>
  if (!loaded) return <div className="page-loading"><span className="spinner" /></div>
  return (
    <div className="page-centered">
      <EmptyState icon={<User />} title={t.needSession} detail={t.signInWhy}>
        <button type="button" className="button primary" onClick={openSignIn}>{t.signIn}</button>
      </EmptyState>
    </div>
  )
}

function NotFound() {
  const { t } = useText()
  return (
    <div className="page-centered">
      <EmptyState icon={<Compass />} title={t.notFound} detail={t.notFoundWhy}>
        <Link href="/" className="button">{t.goHome}</Link>
      </EmptyState>
    </div>
  )
}

function OfflineNotice() {
  const { t } = useText()
  if (!useOffline()) return null
  return <div className="offline" role="status"><WifiOff size={16} /> {t.cutOff}</div>
}
