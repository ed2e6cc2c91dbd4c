import { createContext, type ReactNode, use, useEffect, useMemo, useState } from 'react'
import type { CombinedError } from 'urql'
import { codeOf } from '../graph/client'
import { en, type Text } from './en'
import { zh } from './zh'

type Language = 'en' | 'zh'

interface Words {
  t: Text
  language: Language
  switchLanguage: () => void
  count: (n: number | null | undefined) => string
  ago: (time: number) => string
  problem: (error: CombinedError | undefined) => string
}

const Context = createContext<Words | null>(null)
const key = 'language'

function preferred(): Language {
  const kept = localStorage.getItem(key)
  if (kept === 'en' || kept === 'zh') return kept
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en'
}

const steps: [Intl.RelativeTimeFormatUnit, number][] = [['day', 86_400_000], ['hour', 3_600_000], ['minute', 60_000]]

function wordsFor(language: Language, switchLanguage: () => void): Words {
  const t = language === 'zh' ? zh : en
  const compact = new Intl.NumberFormat(language, { notation: 'compact', maximumFractionDigits: 1 })
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto' })
  const date = new Intl.DateTimeFormat(language, { dateStyle: 'medium' })
  return {
    t,
    language,
    switchLanguage,
    count: (n) => (n == null ? '–' : compact.format(n)),
    ago(time) {
      const age = Date.now() - time
      if (age > 7 * 86_400_000) return date.format(time)
      const step = steps.find(([, length]) => age >= length)
      return step ? relative.format(-Math.floor(age / step[1]), step[0]) : t.justNow
    },
    problem: (error) => t.problems[codeOf(error) ?? ''] ?? error?.graphQLErrors[0]?.message ?? t.problems.OTHER ?? '',
  }
}

// Words gives the page the words of the browser's language, or of the one that was switched to.
export function Words({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState(preferred)
  useEffect(() => {
    document.documentElement.lang = language
  }, [language])
  const words = useMemo(
    () =>
      wordsFor(language, () => {
        const other = language === 'zh' ? 'en' : 'zh'
        localStorage.setItem(key, other)
        setLanguage(other)
      }),
    [language],
  )
  return <Context value={words}>{children}</Context>
}

// useWords returns the words, and how numbers, times and errors are said.
export function useWords(): Words {
  const words = use(Context)
  if (!words) throw new Error('outside of Words')
  return words
}
