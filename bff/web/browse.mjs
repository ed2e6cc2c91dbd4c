// Two people spend a day with the web client, one on a phone and one at a desk, each in a headless Chromium of their own.
// What was seen is printed as a line of JSON at the end. A line "stop" or "start" asks the one who runs this to stop or
// start the server, and is answered by a line on the standard input. Requests to others than the server are blocked and
// listed.
// usage: DOUYIN_TEST_CHROMIUM=PATH node browse.mjs SERVER VIDEO [SCREENSHOTS]
import { createInterface } from 'node:readline/promises'
import axe from 'axe-core'
import { chromium } from 'playwright-core'

const [server, video, screenshots] = process.argv.slice(2)
const seen = { blocked: [], problems: [], violations: [], scripts: [], steps: [] }
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const missing = '/video/999999'
let away = false // while the server is stopped, requests fail

const browser = await chromium.launch({
  executablePath: process.env.DOUYIN_TEST_CHROMIUM,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
})

// ask has the server stopped or started.
async function ask(what) {
  if (what === 'stop') away = true
  console.log(what)
  await answers.next()
}

// open returns a page of somebody's own browser.
async function open(name, options) {
  const context = await browser.newContext({ locale: 'en-US', colorScheme: 'dark', permissions: ['camera', 'microphone', 'clipboard-read', 'clipboard-write'], ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(60_000)
  page.who = name
  await page.route('**/*', (route) => {
    const url = route.request().url()
    if (url.startsWith(server + '/') || url.startsWith('blob:') || url.startsWith('data:')) return route.continue()
    seen.blocked.push(url)
    return route.abort()
  })
  page.on('console', (message) => {
    if (message.type() === 'error' && !away && !message.location().url.endsWith(missing)) seen.problems.push(`${name}: ${message.text()} ${message.location().url}`)
  })
  page.on('pageerror', (error) => seen.problems.push(`${name}: ${error}`))
  return page
}

async function step(page, title, act) {
  try {
    await act()
  } catch (error) {
    if (screenshots) await page.screenshot({ path: `${screenshots}/failed.png` }).catch(() => undefined)
    throw new Error(`${page.who}, ${title}: ${error}`)
  }
  seen.steps.push(`${page.who}: ${title}`)
  if (screenshots) {
    await rests(page)
    await page.screenshot({ path: `${screenshots}/${String(seen.steps.length).padStart(2, '0')} ${page.who} ${title.replaceAll('/', ' ')}.png` })
  }
}

// rests waits until nothing moves on a page, but for what always does.
const rests = (page) => until('nothing moves', () => page.evaluate(() => new Promise((resolve) => {
  requestAnimationFrame(() => requestAnimationFrame(() => resolve( // what was just changed begins to move with the next frame
    document.getAnimations().every((a) => a.playState !== 'running' || a.effect.getComputedTiming().endTime === Infinity))))
})))

// accessible lists what a page puts in the way of people.
async function accessible(page, where) {
  await rests(page)
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }))
  for (const { id, impact, nodes } of violations) {
    if (impact === 'serious' || impact === 'critical') seen.violations.push(`${page.who} ${where}: ${id} ${nodes.map((node) => node.html.slice(0, 120) + ' ' + node.any.map((a) => a.message).join(' ')).join(' | ')}`)
  }
}

// Slides and what is on them.
const titled = (page, title) => page.locator('.slide', { hasText: title })
const likeOf = (slide) => slide.getByRole('button', { name: /^Like/ })
const countOf = async (button) => Number((await button.innerText()).trim())

// loses has a page's next changes lost: their answers, or with early the requests themselves.
async function loses(page, early, act) {
  const lose = async (route) => {
    if (route.request().method() !== 'POST') return route.fallback()
    if (!early) await route.fetch()
    return route.abort()
  }
  away = true
  await page.route('**/graphql', lose)
  await act()
  await page.unroute('**/graphql', lose)
  away = false
}

async function until(what, check) {
  const end = Date.now() + 60_000
  for (;;) {
    if (await check()) return
    if (Date.now() > end) throw new Error(`never: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

// watches waits until a slide, by its number, is the one that is watched.
const watches = (page, n) => until(`slide ${n} is watched`, async () => {
  const slides = page.locator('.slide')
  if ((await slides.count()) <= n) return false
  return slides.nth(n).evaluate((slide) => !slide.inert && Math.abs(slide.getBoundingClientRect().top - slide.parentElement.getBoundingClientRect().top) < 2)
})

async function signUp(page, name, password = 'a good secret') {
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Sign up' }).click()
  await dialog.getByLabel('Name').fill(name)
  await dialog.getByLabel('Password').fill(password)
  await dialog.getByRole('button', { name: 'Sign up' }).click()
  await dialog.waitFor({ state: 'detached' })
}

const menu = (page, name) => page.getByRole('navigation', { name: 'Main menu' }).getByRole('link', { name: new RegExp(`(^|\\s)${name}$`) })

try {
  const phone = await open('phone', { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 1 })
  const desk = await open('desk', { viewport: { width: 1440, height: 900 } })
  phone.on('response', (response) => {
    const path = new URL(response.url()).pathname
    if (path.endsWith('.js') && seen.steps.length === 0) seen.scripts.push(path)
  })

  const first = phone.locator('.slide').first()
  await step(phone, 'a visitor watches', async () => {
    await phone.goto(server + '/')
    await first.waitFor()
    await until('a video plays', () => first.locator('video').evaluate((player) => player.currentTime > 0.3 && player.muted && !player.paused))
    await phone.waitForTimeout(500)
  })
  await accessible(phone, 'feed')
  await step(phone, 'likes, is asked to sign in, and the like goes on', async () => {
    const before = await countOf(likeOf(first))
    await likeOf(first).click()
    await phone.getByRole('dialog').waitFor()
    await accessible(phone, 'sign in')
    await signUp(phone, 'ann')
    await until('the like counts', async () => (await likeOf(first).getAttribute('aria-pressed')) === 'true' && (await countOf(likeOf(first))) === before + 1)
  })
  await step(phone, 'watches the next one and likes it by a double tap', async () => {
    await first.evaluate((slide) => slide.parentElement.scrollTo({ top: slide.clientHeight, behavior: 'instant' }))
    const second = phone.locator('.slide').nth(1)
    await until('the second video plays', () => second.locator('video').evaluate((player) => player.currentTime > 0.2 && !player.paused))
    await until('the first one is paused', () => first.locator('video').evaluate((player) => player.paused))
    await second.locator('.screen').dblclick({ position: { x: 150, y: 300 } })
    await until('the like counts', async () => (await likeOf(second).getAttribute('aria-pressed')) === 'true')
  })
  await step(phone, 'comments', async () => {
    const second = phone.locator('.slide').nth(1)
    const button = second.getByRole('button', { name: /^Comments/ })
    const before = await countOf(button)
    await button.click()
    const drawer = phone.getByRole('dialog')
    await drawer.getByLabel('Say something nice…').fill('hello from ann')
    await drawer.getByRole('button', { name: 'Send' }).click()
    await drawer.locator('.line[data-unsent=false]', { hasText: 'hello from ann' }).waitFor()
    await accessible(phone, 'comments')
    await phone.keyboard.press('Escape')
    await until('the comment counts', async () => (await countOf(button)) === before + 1)
  })
  await step(phone, 'keeps the words of a comment that cannot be sent', async () => {
    await phone.locator('.slide').nth(1).getByRole('button', { name: /^Comments/ }).click()
    const drawer = phone.getByRole('dialog')
    const field = drawer.getByLabel('Say something nice…')
    await loses(phone, true, async () => {
      await field.fill('not to be lost')
      await drawer.getByRole('button', { name: 'Send' }).click()
      await phone.locator('.toast', { hasText: 'cannot be reached' }).waitFor()
    })
    await until('the words are back', async () => (await field.inputValue()) === 'not to be lost')
    const over = await phone.locator('.toast').evaluate((toast) => toast.parentElement.matches(':popover-open'))
    if (!over) throw new Error('what went wrong is said behind the dialog')
    await phone.keyboard.press('Escape')
  })
  await step(phone, 'follows', async () => {
    const button = phone.locator('.slide').nth(1).getByRole('button', { name: 'Follow', exact: true })
    await button.click()
    await phone.locator('.slide').nth(1).getByRole('button', { name: 'Unfollow', exact: true }).waitFor()
  })
  await step(phone, 'looks at the publish page', async () => {
    await menu(phone, 'Publish').click()
    await phone.locator('.drop').waitFor()
    await accessible(phone, 'publish')
    await phone.getByRole('button', { name: /camera/ }).click()
    await phone.getByRole('button', { name: 'Start recording' }).click()
    await phone.waitForTimeout(1_500)
    await phone.getByRole('button', { name: 'Stop recording' }).click()
    await phone.locator('.draft-preview video').waitFor()
    await phone.getByRole('button', { name: 'Choose another' }).click()
  })
  await step(phone, 'chooses a video, a title and a cover', async () => {
    await phone.locator('input[type=file]').setInputFiles(video)
    const publish = phone.getByRole('button', { name: 'Publish', exact: true })
    await phone.getByLabel('Title').fill('😀'.repeat(51))
    if (await publish.isEnabled()) throw new Error('a title may be too long')
    await phone.getByLabel('Title').fill('😀'.repeat(50))
    if (!(await publish.isEnabled())) throw new Error('a title may not have 50 characters')
    await phone.getByLabel('Title').fill('Fresh from ann')
    await phone.locator('.frame').nth(3).click()
    await accessible(phone, 'draft')
  })
  await step(phone, 'publishes and sees it in the feed', async () => {
    await phone.getByRole('button', { name: 'Publish', exact: true }).click()
    await titled(phone, 'Fresh from ann').waitFor()
    if (!(await first.innerText()).includes('Fresh from ann')) throw new Error('it is not the first')
    await until('it plays', () => first.locator('video').evaluate((player) => player.currentTime > 0.2))
  })

  const deskFirst = desk.locator('.slide').first()
  await step(desk, 'somebody else opens the page at a desk', async () => {
    await desk.goto(server + '/')
    await titled(desk, 'Fresh from ann').waitFor()
    await accessible(desk, 'feed')
    await desk.keyboard.press('ArrowDown')
    await watches(desk, 1)
    await desk.getByRole('button', { name: 'Sign in' }).click()
    await signUp(desk, ' bob', ' a good secret ')
    await desk.getByRole('button', { name: 'Sign out' }).waitFor()
    await watches(desk, 1)
    const login = await desk.request.post(`${server}/douyin/user/login/`, { params: { username: 'bob', password: ' a good secret ' } })
    if ((await login.json()).status_code !== 0) throw new Error('the password is not the one that was typed')
  })
  await step(desk, 'comes back to the same video', async () => {
    await desk.locator('.slide').nth(1).getByRole('link', { name: /^Profile of/ }).click()
    await desk.locator('.profile').waitFor()
    await desk.goBack()
    await watches(desk, 1)
    await desk.keyboard.press('ArrowUp')
    await watches(desk, 0)
  })
  await step(desk, 'by keyboard likes, changes, pauses and turns sound on', async () => {
    await desk.locator('.slides').focus()
    await desk.keyboard.press('l')
    await until('the like counts', async () => (await countOf(likeOf(deskFirst))) === 1)
    await until('ann sees the like as it happens', async () => (await countOf(likeOf(first))) === 1)
    await desk.keyboard.press('ArrowDown')
    const second = desk.locator('.slide').nth(1).locator('video')
    await until('the second one plays', () => second.evaluate((player) => !player.paused && player.currentTime > 0.1))
    await desk.keyboard.press(' ')
    await until('it is paused', () => second.evaluate((player) => player.paused))
    await desk.keyboard.press(' ')
    await desk.keyboard.press('m')
    await until('it has sound', () => second.evaluate((player) => !player.muted))
    await desk.keyboard.press('m')
    const like = likeOf(desk.locator('.slide').nth(1))
    await like.click()
    await until('the second one is liked', async () => (await like.getAttribute('aria-pressed')) === 'true')
    await desk.keyboard.press('ArrowDown')
    await watches(desk, 2)
    await desk.keyboard.press(' ')
    await until('the third one is paused', () => desk.locator('.slide').nth(2).locator('video').evaluate((player) => player.paused))
    if ((await like.getAttribute('aria-pressed')) !== 'true') throw new Error('the key meant another video')
    for (let i = 0; i < 3; i++) await desk.keyboard.down('c') // held, it counts once
    await desk.keyboard.up('c')
    await desk.getByRole('complementary', { name: 'Comments' }).waitFor()
    await desk.keyboard.press('c')
    for (let i = 0; i < 2; i++) await desk.keyboard.press('ArrowUp') // the second while the first step is on its way
    await until('the first one plays', () => deskFirst.locator('video').evaluate((player) => !player.paused))
    await watches(desk, 0)
  })
  await step(desk, 'comments, which the author sees as it happens', async () => {
    await desk.keyboard.press('c')
    const side = desk.getByRole('complementary', { name: 'Comments' })
    await side.getByLabel('Say something nice…').fill('hello from bob')
    await desk.keyboard.press('Enter')
    await side.locator('.line[data-unsent=false]', { hasText: 'hello from bob' }).waitFor()
    await accessible(desk, 'comments')
    await until('ann sees the count', async () => (await countOf(first.getByRole('button', { name: /^Comments/ }))) === 1)
    for (const text of ['one more', 'and another']) {
      await side.getByLabel('Say something nice…').fill(text)
      await desk.keyboard.press('Enter')
      await side.locator('.line[data-unsent=false]', { hasText: text }).waitFor()
    }
    await side.locator('.line').first().getByRole('button', { name: 'Delete' }).dblclick()
    await until('one of the comments is gone', async () => (await countOf(first.getByRole('button', { name: /^Comments/ }))) === 2)
    await side.locator('.line', { hasText: 'one more' }).getByRole('button', { name: 'Delete' }).click()
    await side.locator('.line', { hasText: 'one more' }).waitFor({ state: 'detached' })
    await side.getByLabel('Say something nice…').press('Escape')
    await side.waitFor({ state: 'detached' })
  })
  await step(desk, 'copies the link', async () => {
    await deskFirst.getByRole('button', { name: 'Share' }).click()
    await desk.getByText('Link copied').waitFor()
    const link = await desk.evaluate(() => navigator.clipboard.readText())
    if (!/\/video\/\d+$/.test(link)) throw new Error('the link is ' + link)
    await desk.goto(link)
    await titled(desk, 'Fresh from ann').waitFor()
    await until('the page has the title', async () => (await desk.title()) === 'Fresh from ann · minidouyin')
  })
  await step(desk, "looks at the author's profile and follows", async () => {
    await deskFirst.getByRole('link', { name: 'Profile of ann' }).click()
    await desk.getByRole('heading', { name: 'ann' }).waitFor()
    await desk.locator('.cover img').first().waitFor()
    await desk.getByRole('button', { name: 'Follow', exact: true }).click()
    await desk.getByRole('button', { name: 'Unfollow', exact: true }).waitFor()
    await until('one follower', async () => (await desk.getByRole('button', { name: /Followers/ }).innerText()).startsWith('1'))
    await accessible(desk, 'profile')
    await desk.getByRole('button', { name: /Followers/ }).click()
    await desk.getByRole('dialog').getByText('bob').waitFor()
    await desk.keyboard.press('Escape')
  })
  await step(phone, 'edits the profile and follows back', async () => {
    await menu(phone, 'Me').click()
    await phone.getByRole('button', { name: 'Edit profile' }).click()
    await phone.getByLabel('Signature').fill('Life is a short video')
    await accessible(phone, 'edit')
    await phone.getByRole('button', { name: 'Save' }).click()
    await phone.getByText('Life is a short video').waitFor()
    await phone.getByRole('tab', { name: /Likes/ }).click()
    await phone.locator('.cover').nth(1).waitFor()
    await accessible(phone, 'profile')
    await phone.locator('.cover a').first().click()
    await first.waitFor()
    await phone.goBack()
    await phone.getByRole('tab', { name: /Likes/, selected: true }).waitFor()
    await phone.getByRole('button', { name: /Followers/ }).click()
    await phone.getByRole('dialog').getByRole('button', { name: 'Follow', exact: true }).click()
    await phone.getByRole('dialog').getByRole('button', { name: 'Unfollow', exact: true }).waitFor()
    await phone.keyboard.press('Escape')
  })
  await step(desk, 'writes to the author, who hears it on another page', async () => {
    await desk.getByRole('link', { name: 'Message', exact: true }).click()
    await desk.getByLabel('Write a message…').fill('hi ann, it is bob')
    await desk.keyboard.press('Enter')
    await desk.locator('.bubble.sent p[aria-busy=true]').waitFor({ state: 'detached' })
    await desk.locator('.bubble.sent', { hasText: 'hi ann, it is bob' }).waitFor()
    await phone.getByText('bob: hi ann, it is bob').waitFor()
  })
  await step(phone, 'reads and answers', async () => {
    await menu(phone, 'Messages').click()
    await phone.locator('.friend[data-unread=true]', { hasText: 'bob' }).click()
    await phone.locator('.bubble.received', { hasText: 'hi ann, it is bob' }).waitFor()
    await phone.getByLabel('Write a message…').fill('hi bob!')
    await phone.getByRole('button', { name: 'Send' }).click()
    await desk.locator('.bubble.received', { hasText: 'hi bob!' }).waitFor()
    await until('nothing is unread', async () => (await phone.locator('.badge').count()) === 0)
    await accessible(phone, 'chat')
    await accessible(desk, 'chat')
  })

  await step(desk, 'sends a message whose answer is lost, and tries again: it is sent once', async () => {
    for (let i = 0; i < 2; i++) { // the same words twice are two messages
      await loses(desk, false, async () => {
        await desk.getByLabel('Write a message…').fill('did you get this?')
        await desk.keyboard.press('Enter')
        await desk.locator('.bubble[data-failed=true]').waitFor()
      })
      await desk.getByRole('button', { name: /Not sent/ }).click()
      await desk.locator('.bubble.sent:not([data-failed])', { hasText: 'did you get this?' }).nth(i).waitFor()
      await until('nothing waits to be sent', async () => (await desk.locator('.bubble[data-failed]').count()) === 0)
    }
    await phone.locator('.bubble.received', { hasText: 'did you get this?' }).nth(1).waitFor()
    for (const page of [phone, desk]) if ((await page.locator('.bubble', { hasText: 'did you get this?' }).count()) !== 2) throw new Error('there are more than two')
  })
  await step(phone, 'cut off before it has heard anything, reads what was written meanwhile', async () => {
    let cut = false
    const sockets = new Set()
    await phone.routeWebSocket(/graphql/, (socket) => {
      if (cut) return socket.close({ code: 1001 })
      sockets.add(socket)
      socket.connectToServer()
    })
    const heard = phone.waitForEvent('websocket')
    await phone.reload()
    await heard
    await phone.locator('.bubble.received', { hasText: 'did you get this?' }).first().waitFor()
    cut = true
    for (const socket of sockets) await socket.close({ code: 1001 })
    await phone.getByText('No connection').waitFor()
    await desk.getByLabel('Write a message…').fill('have you been away?')
    await desk.keyboard.press('Enter')
    await desk.locator('.bubble.sent:not([data-failed])', { hasText: 'have you been away?' }).waitFor()
    cut = false
    await phone.locator('.bubble.received', { hasText: 'have you been away?' }).waitFor()
  })

  await phone.evaluate(() => { window.sameLife = true })
  await desk.evaluate(() => { window.sameLife = true })
  await step(desk, 'the server stops: it says so, and a message is not sent', async () => {
    await ask('stop')
    await desk.getByText('No connection').waitFor()
    await desk.getByLabel('Write a message…').fill('are you there?')
    await desk.keyboard.press('Enter')
    await desk.locator('.bubble[data-failed=true]', { hasText: 'are you there?' }).waitFor()
  })
  await step(desk, 'the server is back: the message goes out by another try', async () => {
    await ask('start')
    await desk.getByText('No connection').waitFor({ state: 'detached' })
    await desk.getByRole('button', { name: /Not sent/ }).click()
    await desk.locator('.bubble[data-failed=true]').waitFor({ state: 'detached' })
    await desk.locator('.bubble.sent', { hasText: 'are you there?' }).waitFor()
  })
  await step(phone, 'hears it without a reload', async () => {
    await phone.locator('.bubble.received', { hasText: 'are you there?' }).waitFor()
    for (const page of [phone, desk]) if (!(await page.evaluate(() => window.sameLife))) throw new Error('the page was loaded again')
    if ((await phone.locator('.bubble', { hasText: 'are you there?' }).count()) !== 1) throw new Error('it came twice')
    away = false // both have reached the server again
  })
  await step(phone, 'changes language and theme', async () => {
    await menu(phone, 'Me').click()
    await phone.getByRole('button', { name: '中文' }).click()
    await phone.getByRole('button', { name: '编辑资料' }).waitFor()
    await phone.getByRole('button', { name: '浅色主题' }).click()
    await accessible(phone, 'profile in light')
    await phone.getByRole('button', { name: 'English' }).click()
  })
  await step(phone, 'gives a video another title, and deletes it', async () => {
    await phone.getByRole('tab', { name: /Works/ }).click()
    await phone.locator('.cover a').first().click()
    await titled(phone, 'Fresh from ann').waitFor()
    await phone.getByRole('button', { name: 'Edit video' }).click()
    const drawer = phone.getByRole('dialog')
    await drawer.getByLabel('Title').fill('Better from ann')
    await drawer.getByRole('button', { name: 'Save' }).click()
    await titled(phone, 'Better from ann').waitFor()
    await until('the page has the title', async () => (await phone.title()) === 'Better from ann · minidouyin')
    await phone.getByRole('button', { name: 'Edit video' }).click()
    await drawer.getByRole('button', { name: 'Delete video' }).click()
    await accessible(phone, 'deleting')
    await drawer.getByRole('button', { name: 'Cancel' }).click()
    await drawer.getByRole('button', { name: 'Delete video' }).click()
    await drawer.getByRole('button', { name: 'Delete for good' }).click()
    await phone.getByText('No works yet').waitFor()
    await phone.getByRole('tab', { name: 'Works 0' }).waitFor()
    await menu(phone, 'For you').click()
    await first.waitFor()
    if ((await titled(phone, 'from ann').count()) !== 0) throw new Error('it is in the feed')
    await menu(phone, 'Me').click()
    await phone.locator('.profile').waitFor()
  })
  await step(phone, 'signs out', async () => {
    await phone.getByRole('button', { name: 'Sign out' }).click()
    await phone.getByText('You are signed out').waitFor()
    await until('nobody likes', async () => (await likeOf(first).getAttribute('aria-pressed')) === 'false')
    await menu(phone, 'Messages').click()
    await phone.getByText('Sign in to see this').waitFor()
    await accessible(phone, 'signed out')
    await phone.reload()
    await phone.getByText('Sign in to see this').waitFor()
  })
  await step(desk, 'signs out at the desk too', async () => {
    await desk.getByRole('button', { name: 'Sign out' }).click()
    await desk.getByRole('button', { name: 'Sign in' }).waitFor()
    await desk.goto(server + missing)
    await desk.getByText('Nothing here').waitFor()
  })
} catch (error) {
  seen.problems.push(String(error))
} finally {
  await browser.close()
}
console.log(JSON.stringify(seen))
process.exit(0)
