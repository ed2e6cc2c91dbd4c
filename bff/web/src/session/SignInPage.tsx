import { Redirect } from 'wouter'
import { useSession } from './session'
import { SignInForm } from './SignIn'

// SignInPage is for links that lead to signing in.
export default function SignInPage() {
  const { viewer } = useSession()
  if (viewer) return <Redirect to="/" replace />
  return (
    <div className="page-alone">
      <div className="card">
        <SignInForm />
      </div>
    </div>
  )
}
