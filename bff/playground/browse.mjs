// End-to-end test of the playground in headless Chromium. It prints a JSON report. Requests to other servers are blocked
// and reported.
// usage: DOUYIN_TEST_CHROMIUM=PATH node browse.mjs SERVER NAME PASSWORD OTHER-TOKEN [SCREENSHOTS]
import { chromium } from 'playwright-core'

const [server, name, password, otherToken, screenshot] = process.argv.slice(2)
const browser = await chromium.launch({
  executablePath: process.env.DOUYIN_TEST_CHROMIUM,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'],
})
let page
const report = { blocked: [], problems: [], visitor: '', session: '', viewer: '', counts: '', message: '', operations: 0 }
try {
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
  page.setDefaultTimeout(60_000)
  await page.route('**/*', (route) => {
    const url = route.request().url()
    if (url.startsWith(server + '/')) return route.continue()
    report.blocked.push(url)
    return route.abort()
  })
  page.on('request', (request) => {
    if (request.url() === server + '/graphql') report.operations++
  })
  page.on('console', (message) => {
    if (message.type() === 'error') report.problems.push(message.text())
  })
  page.on('pageerror', (error) => report.problems.push(String(error)))

  await page.goto(server + '/playground')
  const run = async (tab, expected) => {
    await page.getByRole('tab', { name: tab }).click()
    const response = page.waitForResponse((r) => r.url() === server + '/graphql' && r.request().postData().includes('query ' + tab))
    await page.getByRole('button', { name: /execute query/i }).click()
    const text = await (await response).text()
    await page.locator('.result-window .view-lines').filter({ hasText: expected }).waitFor()
    if (screenshot) await page.screenshot({ path: `${screenshot}-${tab}.png` })
    return text
  }
  report.visitor = await run('Feed', 'hasNextPage')

  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  const session = page.locator('.session span')
  await session.getByText(name).waitFor()
  report.session = await session.innerText()
  report.viewer = await run('Profile', name)

  // watch runs the subscription of a tab, calls trigger to cause an event, and returns the result that shows the event.
  // It waits for the first result before the trigger, if the subscription sends one.
  const watch = async (tab, first, trigger, expected) => {
    await page.getByRole('tab', { name: tab }).click()
    await page.getByRole('button', { name: /execute query/i }).click()
    const result = page.locator('.result-window .view-lines')
    if (first) await result.filter({ hasText: first }).waitFor()
    else await page.getByRole('button', { name: /stop query/i }).waitFor()
    for (const end = Date.now() + 60_000; ;) { // the server does not confirm a subscription: an event may come too early
      await trigger()
      try {
        await result.filter({ hasText: expected }).waitFor({ timeout: 2_000 })
        break
      } catch (error) {
        if (Date.now() > end) throw error
      }
    }
    if (screenshot) await page.screenshot({ path: `${screenshot}-${tab}.png` })
    const shown = (await result.innerText()).replaceAll('\u00a0', ' ')
    await page.getByRole('button', { name: /stop query/i }).click()
    return shown
  }
  const mutate = async (query) => {
    const response = await fetch(server + '/graphql', {
      method: 'POST', headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${otherToken}` }, body: JSON.stringify({ query }),
    })
    const { errors } = await response.json()
    if (errors) throw new Error(JSON.stringify(errors))
  }
  report.counts = await watch('Counts', /"likeCount":\s*0/, () => mutate('mutation { likeVideo(input: {videoId: "1"}) { video { id } } }'), /"likeCount":\s*1/)
  report.message = await watch('Messages', null, () => mutate('mutation { sendMessage(input: {userId: "1", content: "hello-ann"}) { message { id } } }'), 'hello-ann')
} catch (error) {
  report.problems.push(String(error))
  if (screenshot) await page?.screenshot({ path: `${screenshot}-problem.png` })
} finally {
  await browser.close()
}
console.log(JSON.stringify(report))
