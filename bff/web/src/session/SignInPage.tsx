import { Redirect } from 'wouter'
import { useSession } from './session'
import { SignInForm } from './SignIn'

// SignInPage is the sign-in form as a page with its own address.
export default function SignInPage() {
  const { viewer } = useSession()
  if (viewer) return <Redirect to="/" replace />
  return (
    <div className="page-centered">
      <div className="card">
        <SignInForm />
      </div>
    </div>
  )
}
