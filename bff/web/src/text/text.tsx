import { createContext, type ReactNode, use, useEffect, useMemo, useState } from 'react'
import type { CombinedError } from 'urql'
import { codeOf } from '../graph/errors'
import { en, type Text } from './en'
import { zh } from './zh'

type Language = 'en' | 'zh'

interface Localization {
  t: Text
  language: Language
  switchLanguage: () => void
  formatCount: (n: number | null | undefined) => string
  formatAge: (time: number) => string
  errorText: (error: CombinedError | undefined) => string
}

const TextContext = createContext<Localization | null>(null)
const key = 'language'

// initialLanguage returns the user's choice, or the language of the browser.
function initialLanguage(): Language {
  const stored = localStorage.getItem(key)
  if (stored === 'en' || stored === 'zh') return stored
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en'
}

const day = 86_400_000 // ms
const units: [Intl.RelativeTimeFormatUnit, number][] = [['day', day], ['hour', 3_600_000], ['minute', 60_000]]

function localize(language: Language, switchLanguage: () => void): Localization {
  const t = language === 'zh' ? zh : en
  const compact = new Intl.NumberFormat(language, { notation: 'compact', maximumFractionDigits: 1 })
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto' })
  const date = new Intl.DateTimeFormat(language, { dateStyle: 'medium' })
  return {
    t,
    language,
    switchLanguage,
    formatCount: (n) => (n == null ? '–' : compact.format(n)),
    formatAge(time) {
      const age = Date.now() - time
      if (age > 7 * day) return date.format(time)
      const unit = units.find(([, length]) => age >= length)
      return unit ? relative.format(-Math.floor(age / unit[1]), unit[0]) : t.justNow
    },
    errorText: (error) => t.problems[codeOf(error) ?? ''] ?? error?.graphQLErrors[0]?.message ?? t.problems.OTHER ?? '',
  }
}

// TextProvider provides the texts in the language of the browser, or in the one the user has chosen.
export function TextProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState(initialLanguage)
  useEffect(() => {
    document.documentElement.lang = language
  }, [language])
  const localization = useMemo(
    () =>
      localize(language, () => {
        const other = language === 'zh' ? 'en' : 'zh'
        localStorage.setItem(key, other)
        setLanguage(other)
      }),
    [language],
  )
  return <TextContext value={localization}>{children}</TextContext>
}

// useText returns the texts, and functions that format numbers, times and errors.
export function useText(): Localization {
  const localization = use(TextContext)
  if (!localization) throw new Error('no TextProvider')
  return localization
}
