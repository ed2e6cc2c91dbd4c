// End-to-end test of the web client: two users, one on a phone and one on a desktop, each in a headless Chromium context.
// The last line of the output is a JSON report. A line "stop" or "start" asks the caller to stop or start the server; the
// caller responds with a line on standard input. Requests to other servers are blocked and reported.
// usage: DOUYIN_TEST_CHROMIUM=PATH node browse.mjs SERVER VIDEO [SCREENSHOTS]
import { createInterface } from 'node:readline/promises'
import axe from 'axe-core'
import { chromium } from 'playwright-core'

const [server, video, screenshots] = process.argv.slice(2)
const report = { blocked: [], problems: [], violations: [], scripts: [], steps: [] }
const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const missingPath = '/video/999999'
let expectErrors = false // while the server is stopped or responses are dropped, the console has errors

const browser = await chromium.launch({
  executablePath: process.env.DOUYIN_TEST_CHROMIUM,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
})

// control asks the caller to stop or start the server, and waits until it is done.
async function control(command) {
  if (command === 'stop') expectErrors = true
  console.log(command)
  await input.next()
}

// open returns a page in a new browser context.
async function open(device, options) {
  const context = await browser.newContext({ locale: 'en-US', colorScheme: 'dark', permissions: ['camera', 'microphone', 'clipboard-read', 'clipboard-write'], ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(60_000)
  page.device = device
  await page.route('**/*', (route) => {
    const url = route.request().url()
    if (url.startsWith(server + '/') || url.startsWith('blob:') || url.startsWith('data:')) return route.continue()
    report.blocked.push(url)
    return route.abort()
  })
  page.on('console', (message) => {
    if (message.type() === 'error' && !expectErrors && !message.location().url.endsWith(missingPath)) report.problems.push(`${device}: ${message.text()} ${message.location().url}`)
  })
  page.on('pageerror', (error) => report.problems.push(`${device}: ${error}`))
  return page
}

async function step(page, title, run) {
  try {
    await run()
  } catch (error) {
    if (screenshots) await page.screenshot({ path: `${screenshots}/failed.png` }).catch(() => undefined)
    throw new Error(`${page.device}, ${title}: ${error}`)
  }
  report.steps.push(`${page.device}: ${title}`)
  if (screenshots) {
    await untilStill(page)
    await page.screenshot({ path: `${screenshots}/${String(report.steps.length).padStart(2, '0')} ${page.device} ${title.replaceAll('/', ' ')}.png` })
  }
}

// untilStill waits until the finite animations of a page have ended. A change starts its animation with the next frame.
const untilStill = (page) => until('animations have ended', () => page.evaluate(() => new Promise((resolve) => {
  requestAnimationFrame(() => requestAnimationFrame(() => resolve(
    document.getAnimations().every((a) => a.playState !== 'running' || a.effect.getComputedTiming().endTime === Infinity))))
})))

// checkAccessibility reports serious and critical violations of accessibility rules.
async function checkAccessibility(page, place) {
  await untilStill(page)
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }))
  for (const { id, impact, nodes } of violations) {
    if (impact !== 'serious' && impact !== 'critical') continue
    const details = nodes.map((node) => node.html.slice(0, 120) + ' ' + node.any.map((check) => check.message).join(' '))
    report.violations.push(`${page.device} ${place}: ${id} ${details.join(' | ')}`)
  }
}

async function until(condition, check) {
  const end = Date.now() + 60_000
  for (;;) {
    if (await check()) return
    if (Date.now() > end) throw new Error(`timeout waiting until ${condition}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

// dropMutations fails the mutations of a page while run is active: the server runs them and the response is lost, or with
// beforeServer the request is lost.
async function dropMutations(page, { beforeServer }, run) {
  const drop = async (route) => {
    if (route.request().method() !== 'POST') return route.fallback()
    if (!beforeServer) await route.fetch()
    return route.abort()
  }
  expectErrors = true
  await page.route('**/graphql', drop)
  await run()
  await page.unroute('**/graphql', drop)
  expectErrors = false
}

const slide = (page, n) => page.locator('.slide').nth(n)
const slideTitled = (page, title) => page.locator('.slide', { hasText: title })
const player = (page, n) => slide(page, n).locator('video')
const likeButton = (of) => of.getByRole('button', { name: /^Like/ })
const commentsButton = (of) => of.getByRole('button', { name: /^Comments/ })
const countOf = async (button) => Number((await button.innerText()).trim())
const isLiked = async (of) => (await likeButton(of).getAttribute('aria-pressed')) === 'true'
const menu = (page, name) => page.getByRole('navigation', { name: 'Main menu' }).getByRole('link', { name: new RegExp(`(^|\\s)${name}$`) })
const commentField = (of) => of.getByLabel('Say something nice…')
const messageField = (page) => page.getByLabel('Write a message…')

// untilWatched waits until the page has scrolled to a slide.
const untilWatched = (page, n) => until(`slide ${n} is watched`, async () => {
  if ((await page.locator('.slide').count()) <= n) return false
  return slide(page, n).evaluate((element) => !element.inert && Math.abs(element.getBoundingClientRect().top - element.parentElement.getBoundingClientRect().top) < 2)
})

async function signUp(page, name, password = 'a good secret') {
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Sign up' }).click()
  await dialog.getByLabel('Name').fill(name)
  await dialog.getByLabel('Password').fill(password)
  await dialog.getByRole('button', { name: 'Sign up' }).click()
  await dialog.waitFor({ state: 'detached' })
}

async function comment(side, text) {
  await commentField(side).fill(text)
  await commentField(side).press('Enter')
  await side.locator('.comment[data-unsent=false]', { hasText: text }).waitFor()
}

async function sendMessage(page, text) {
  await messageField(page).fill(text)
  await messageField(page).press('Enter')
}

async function watchAndLike(phone) {
  const first = slide(phone, 0)
  await step(phone, 'plays the feed without an account', async () => {
    await phone.goto(server + '/')
    await first.waitFor()
    await until('a video plays', () => player(phone, 0).evaluate((video) => video.currentTime > 0.3 && video.muted && !video.paused))
    await phone.waitForTimeout(500)
  })
  await checkAccessibility(phone, 'feed')
  await step(phone, 'likes a video after signing up', async () => {
    const before = await countOf(likeButton(first))
    await likeButton(first).click()
    await phone.getByRole('dialog').waitFor()
    await checkAccessibility(phone, 'sign in')
    await signUp(phone, 'ann')
    await until('the like counts', async () => (await isLiked(first)) && (await countOf(likeButton(first))) === before + 1)
  })
  await step(phone, 'likes the next video with a double tap', async () => {
    await first.evaluate((element) => element.parentElement.scrollTo({ top: element.clientHeight, behavior: 'instant' }))
    await until('the second video plays', () => player(phone, 1).evaluate((video) => video.currentTime > 0.2 && !video.paused))
    await until('the first video is paused', () => player(phone, 0).evaluate((video) => video.paused))
    await slide(phone, 1).locator('.screen').dblclick({ position: { x: 150, y: 300 } })
    await until('the video is liked', () => isLiked(slide(phone, 1)))
  })
}

async function commentAndFollow(phone) {
  const second = slide(phone, 1)
  const drawer = phone.getByRole('dialog')
  await step(phone, 'writes a comment', async () => {
    const before = await countOf(commentsButton(second))
    await commentsButton(second).click()
    await commentField(drawer).fill('hello from ann')
    await drawer.getByRole('button', { name: 'Send' }).click()
    await drawer.locator('.comment[data-unsent=false]', { hasText: 'hello from ann' }).waitFor()
    await checkAccessibility(phone, 'comments')
    await phone.keyboard.press('Escape')
    await until('the comment counts', async () => (await countOf(commentsButton(second))) === before + 1)
  })
  await step(phone, 'keeps the text of a comment that fails', async () => {
    await commentsButton(second).click()
    await dropMutations(phone, { beforeServer: true }, async () => {
      await commentField(drawer).fill('not to be lost')
      await drawer.getByRole('button', { name: 'Send' }).click()
      await phone.locator('.toast', { hasText: 'cannot be reached' }).waitFor()
    })
    await until('the text is restored', async () => (await commentField(drawer).inputValue()) === 'not to be lost')
    const isOnTop = await phone.locator('.toast').evaluate((toast) => toast.parentElement.matches(':popover-open'))
    if (!isOnTop) throw new Error('the dialog covers the toast')
    await phone.keyboard.press('Escape')
  })
  await step(phone, 'follows the author', async () => {
    await second.getByRole('button', { name: 'Follow', exact: true }).click()
    await second.getByRole('button', { name: 'Unfollow', exact: true }).waitFor()
  })
}

async function publish(phone) {
  await step(phone, 'records a video', async () => {
    await menu(phone, 'Publish').click()
    await phone.locator('.drop').waitFor()
    await checkAccessibility(phone, 'publish')
    await phone.getByRole('button', { name: 'Record a video' }).click()
    await phone.getByRole('button', { name: 'Start recording' }).click()
    await phone.waitForTimeout(1_500)
    await phone.getByRole('button', { name: 'Stop recording' }).click()
    await phone.locator('.draft-preview video').waitFor()
    await phone.getByRole('button', { name: 'Choose another video' }).click()
  })
  await step(phone, 'chooses a video, a title and a cover', async () => {
    await phone.locator('input[type=file]').setInputFiles(video)
    const button = phone.getByRole('button', { name: 'Publish', exact: true })
    await phone.getByLabel('Title').fill('😀'.repeat(51))
    if (await button.isEnabled()) throw new Error('a title of 51 characters is accepted')
    await phone.getByLabel('Title').fill('😀'.repeat(50))
    if (!(await button.isEnabled())) throw new Error('a title of 50 characters is refused')
    await phone.getByLabel('Title').fill('Fresh from ann')
    await phone.locator('.frame').nth(3).click()
    await checkAccessibility(phone, 'draft')
  })
  await step(phone, 'publishes the video and sees it in the feed', async () => {
    await phone.getByRole('button', { name: 'Publish', exact: true }).click()
    await slideTitled(phone, 'Fresh from ann').waitFor()
    if (!(await slide(phone, 0).innerText()).includes('Fresh from ann')) throw new Error('it is not the first video')
    await until('it plays', () => player(phone, 0).evaluate((video) => video.currentTime > 0.2))
  })
}

async function useDesktopFeed(desk, phone) {
  await step(desk, 'opens the feed and signs up', async () => {
    await desk.goto(server + '/')
    await slideTitled(desk, 'Fresh from ann').waitFor()
    await checkAccessibility(desk, 'feed')
    await desk.keyboard.press('ArrowDown')
    await untilWatched(desk, 1)
    await desk.getByRole('button', { name: 'Sign in' }).click()
    await signUp(desk, ' bob', ' a good secret ')
    await desk.getByRole('button', { name: 'Sign out' }).waitFor()
    await untilWatched(desk, 1)
    const login = await desk.request.post(`${server}/douyin/user/login/`, { params: { username: 'bob', password: ' a good secret ' } })
    if ((await login.json()).status_code !== 0) throw new Error('the password differs from the one that was typed')
  })
  await step(desk, 'goes back to the same video', async () => {
    await slide(desk, 1).getByRole('link', { name: /^Profile of/ }).click()
    await desk.locator('.profile').waitFor()
    await desk.goBack()
    await untilWatched(desk, 1)
    await desk.keyboard.press('ArrowUp')
    await untilWatched(desk, 0)
  })
  await step(desk, 'uses the feed with the keyboard', () => useKeyboard(desk, phone))
}

async function useKeyboard(desk, phone) {
  const second = slide(desk, 1)
  await desk.locator('.slides').focus()
  await desk.keyboard.press('l')
  await until('the like counts', async () => (await countOf(likeButton(slide(desk, 0)))) === 1)
  await until('the phone shows the like', async () => (await countOf(likeButton(slide(phone, 0)))) === 1)
  await desk.keyboard.press('ArrowDown')
  await until('the second video plays', () => player(desk, 1).evaluate((video) => !video.paused && video.currentTime > 0.1))
  await desk.keyboard.press(' ')
  await until('it is paused', () => player(desk, 1).evaluate((video) => video.paused))
  await desk.keyboard.press(' ')
  await desk.keyboard.press('m')
  await until('it is unmuted', () => player(desk, 1).evaluate((video) => !video.muted))
  await desk.keyboard.press('m')
  await likeButton(second).click()
  await until('the second video is liked', () => isLiked(second))
  await desk.keyboard.press('ArrowDown')
  await untilWatched(desk, 2)
  await desk.keyboard.press(' ')
  await until('the third video is paused', () => player(desk, 2).evaluate((video) => video.paused))
  if (!(await isLiked(second))) throw new Error('the space key pressed the like button of another video')
  for (let i = 0; i < 3; i++) await desk.keyboard.down('c') // key repeat is ignored
  await desk.keyboard.up('c')
  await desk.getByRole('complementary', { name: 'Comments' }).waitFor()
  await desk.keyboard.press('c')
  for (let i = 0; i < 2; i++) await desk.keyboard.press('ArrowUp') // the second one while the first still scrolls
  await until('the first video plays', () => player(desk, 0).evaluate((video) => !video.paused))
  await untilWatched(desk, 0)
}

async function commentAndShare(desk, phone) {
  const first = slide(desk, 0)
  await step(desk, 'writes comments, and the phone shows their count', async () => {
    await desk.keyboard.press('c')
    const side = desk.getByRole('complementary', { name: 'Comments' })
    await comment(side, 'hello from bob')
    await checkAccessibility(desk, 'comments')
    const untilCount = (n) => until(`the phone shows ${n} comments`, async () => (await countOf(commentsButton(slide(phone, 0)))) === n)
    await untilCount(1)
    for (const text of ['one more', 'and another']) await comment(side, text)
    await side.locator('.comment').first().getByRole('button', { name: 'Delete' }).dblclick()
    await untilCount(2) // a double click deletes one comment
    await side.locator('.comment', { hasText: 'one more' }).getByRole('button', { name: 'Delete' }).click()
    await side.locator('.comment', { hasText: 'one more' }).waitFor({ state: 'detached' })
    await commentField(side).press('Escape')
    await side.waitFor({ state: 'detached' })
  })
  await step(desk, 'copies the link and opens it', async () => {
    await first.getByRole('button', { name: 'Share' }).click()
    await desk.getByText('Link copied').waitFor()
    const link = await desk.evaluate(() => navigator.clipboard.readText())
    if (!/\/video\/\d+$/.test(link)) throw new Error('the link is ' + link)
    await desk.goto(link)
    await slideTitled(desk, 'Fresh from ann').waitFor()
    await until('the page has the title', async () => (await desk.title()) === 'Fresh from ann · minidouyin')
  })
}

async function useProfiles(desk, phone) {
  await step(desk, "follows the author on the author's profile", async () => {
    await slide(desk, 0).getByRole('link', { name: 'Profile of ann' }).click()
    await desk.getByRole('heading', { name: 'ann' }).waitFor()
    await desk.locator('.cover img').first().waitFor()
    await desk.getByRole('button', { name: 'Follow', exact: true }).click()
    await desk.getByRole('button', { name: 'Unfollow', exact: true }).waitFor()
    await until('there is one follower', async () => (await desk.getByRole('button', { name: /Followers/ }).innerText()).startsWith('1'))
    await checkAccessibility(desk, 'profile')
    await desk.getByRole('button', { name: /Followers/ }).click()
    await desk.getByRole('dialog').getByText('bob').waitFor()
    await desk.keyboard.press('Escape')
  })
  await step(phone, 'edits the profile and follows back', async () => {
    await menu(phone, 'Me').click()
    await phone.getByRole('button', { name: 'Edit profile' }).click()
    await phone.getByLabel('Bio').fill('Life is a short video')
    await checkAccessibility(phone, 'edit profile')
    await phone.getByRole('button', { name: 'Save' }).click()
    await phone.getByText('Life is a short video').waitFor()
    await phone.getByRole('tab', { name: /Liked/ }).click()
    await phone.locator('.cover').nth(1).waitFor()
    await checkAccessibility(phone, 'profile')
    await phone.locator('.cover a').first().click()
    await slide(phone, 0).waitFor()
    await phone.goBack()
    await phone.getByRole('tab', { name: /Liked/, selected: true }).waitFor()
    await phone.getByRole('button', { name: /Followers/ }).click()
    await phone.getByRole('dialog').getByRole('button', { name: 'Follow', exact: true }).click()
    await phone.getByRole('dialog').getByRole('button', { name: 'Unfollow', exact: true }).waitFor()
    await phone.keyboard.press('Escape')
  })
}

async function chat(desk, phone) {
  await step(desk, 'sends a message, and the phone shows it on another page', async () => {
    await desk.getByRole('link', { name: 'Message', exact: true }).click()
    await sendMessage(desk, 'hi ann, it is bob')
    await desk.locator('.bubble.sent p[aria-busy=true]').waitFor({ state: 'detached' })
    await desk.locator('.bubble.sent', { hasText: 'hi ann, it is bob' }).waitFor()
    await phone.getByText('bob: hi ann, it is bob').waitFor()
  })
  await step(phone, 'reads the message and replies', async () => {
    await menu(phone, 'Messages').click()
    await phone.locator('.friend[data-unread=true]', { hasText: 'bob' }).click()
    await phone.locator('.bubble.received', { hasText: 'hi ann, it is bob' }).waitFor()
    await messageField(phone).fill('hi bob!')
    await phone.getByRole('button', { name: 'Send' }).click()
    await desk.locator('.bubble.received', { hasText: 'hi bob!' }).waitFor()
    await until('nothing is unread', async () => (await phone.locator('.badge').count()) === 0)
    await checkAccessibility(phone, 'chat')
    await checkAccessibility(desk, 'chat')
  })
  await step(desk, 'retries a message after its response is lost, and it is sent once', async () => {
    for (let i = 0; i < 2; i++) { // the same text twice is two messages
      await dropMutations(desk, { beforeServer: false }, async () => {
        await sendMessage(desk, 'did you get this?')
        await desk.locator('.bubble[data-failed=true]').waitFor()
      })
      await desk.getByRole('button', { name: /Not sent/ }).click()
      await desk.locator('.bubble.sent:not([data-failed])', { hasText: 'did you get this?' }).nth(i).waitFor()
      await until('no message is pending', async () => (await desk.locator('.bubble[data-failed]').count()) === 0)
    }
    await phone.locator('.bubble.received', { hasText: 'did you get this?' }).nth(1).waitFor()
    for (const page of [phone, desk]) {
      if ((await page.locator('.bubble', { hasText: 'did you get this?' }).count()) !== 2) throw new Error(`there are not two messages on the ${page.device}`)
    }
  })
}

async function breakConnection(desk, phone) {
  await step(phone, 'reconnects before the first event, and shows the message it missed', async () => {
    let offline = false
    const sockets = new Set()
    await phone.routeWebSocket(/graphql/, (socket) => {
      if (offline) return socket.close({ code: 1001 })
      sockets.add(socket)
      socket.connectToServer()
    })
    const connected = phone.waitForEvent('websocket')
    await phone.reload()
    await connected
    await phone.locator('.bubble.received', { hasText: 'did you get this?' }).first().waitFor()
    offline = true
    for (const socket of sockets) await socket.close({ code: 1001 })
    await phone.getByText('No connection').waitFor()
    await sendMessage(desk, 'have you been away?')
    await desk.locator('.bubble.sent:not([data-failed])', { hasText: 'have you been away?' }).waitFor()
    offline = false
    await phone.locator('.bubble.received', { hasText: 'have you been away?' }).waitFor()
  })
}

async function restartServer(desk, phone) {
  for (const page of [phone, desk]) await page.evaluate(() => { window.notReloaded = true })
  await step(desk, 'shows that the server is unreachable and that a message failed', async () => {
    await control('stop')
    await desk.getByText('No connection').waitFor()
    await sendMessage(desk, 'are you there?')
    await desk.locator('.bubble[data-failed=true]', { hasText: 'are you there?' }).waitFor()
  })
  await step(desk, 'sends the message again after the server has started', async () => {
    await control('start')
    await desk.getByText('No connection').waitFor({ state: 'detached' })
    await desk.getByRole('button', { name: /Not sent/ }).click()
    await desk.locator('.bubble[data-failed=true]').waitFor({ state: 'detached' })
    await desk.locator('.bubble.sent', { hasText: 'are you there?' }).waitFor()
  })
  await step(phone, 'receives the message without a reload', async () => {
    await phone.locator('.bubble.received', { hasText: 'are you there?' }).waitFor()
    for (const page of [phone, desk]) if (!(await page.evaluate(() => window.notReloaded))) throw new Error(`the ${page.device} has reloaded the page`)
    if ((await phone.locator('.bubble', { hasText: 'are you there?' }).count()) !== 1) throw new Error('the message was received twice')
    expectErrors = false // both pages have reached the server again
  })
}

async function editAndSignOut(desk, phone) {
  await step(phone, 'changes the language and the theme', async () => {
    await menu(phone, 'Me').click()
    await phone.getByRole('button', { name: '中文' }).click()
    await phone.getByRole('button', { name: '编辑资料' }).waitFor()
    await phone.getByRole('button', { name: '浅色主题' }).click()
    await checkAccessibility(phone, 'profile in light')
    await phone.getByRole('button', { name: 'English' }).click()
  })
  await step(phone, 'changes the title of a video and deletes the video', () => editVideo(phone))
  await step(phone, 'signs out', async () => {
    await phone.getByRole('button', { name: 'Sign out' }).click()
    await phone.getByText('You are signed out').waitFor()
    await until('the like is not shown', async () => !(await isLiked(slide(phone, 0))))
    await menu(phone, 'Messages').click()
    await phone.getByText('Sign in to see this').waitFor()
    await checkAccessibility(phone, 'signed out')
    await phone.reload()
    await phone.getByText('Sign in to see this').waitFor()
  })
  await step(desk, 'signs out and opens a missing video', async () => {
    await desk.getByRole('button', { name: 'Sign out' }).click()
    await desk.getByRole('button', { name: 'Sign in' }).waitFor()
    await desk.goto(server + missingPath)
    await desk.getByText('Not found').waitFor()
  })
}

async function editVideo(phone) {
  await phone.getByRole('tab', { name: /Videos/ }).click()
  await phone.locator('.cover a').first().click()
  await slideTitled(phone, 'Fresh from ann').waitFor()
  await phone.getByRole('button', { name: 'Edit video' }).click()
  const drawer = phone.getByRole('dialog')
  await drawer.getByLabel('Title').fill('Better from ann')
  await drawer.getByRole('button', { name: 'Save' }).click()
  await slideTitled(phone, 'Better from ann').waitFor()
  await until('the page has the new title', async () => (await phone.title()) === 'Better from ann · minidouyin')
  await phone.getByRole('button', { name: 'Edit video' }).click()
  await drawer.getByRole('button', { name: 'Delete video' }).click()
  await checkAccessibility(phone, 'delete video')
  await drawer.getByRole('button', { name: 'Cancel' }).click()
  await drawer.getByRole('button', { name: 'Delete video' }).click()
  await drawer.getByRole('button', { name: 'Delete permanently' }).click()
  await phone.getByText('No videos yet').waitFor()
  await phone.getByRole('tab', { name: 'Videos 0' }).waitFor()
  await menu(phone, 'For you').click()
  await slide(phone, 0).waitFor()
  if ((await slideTitled(phone, 'from ann').count()) !== 0) throw new Error('the deleted video is still in the feed')
  await menu(phone, 'Me').click()
  await phone.locator('.profile').waitFor()
}

try {
  const phone = await open('phone', { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 1 })
  const desk = await open('desktop', { viewport: { width: 1440, height: 900 } })
  phone.on('response', (response) => {
    const path = new URL(response.url()).pathname
    if (path.endsWith('.js') && report.steps.length === 0) report.scripts.push(path)
  })
  await watchAndLike(phone)
  await commentAndFollow(phone)
  await publish(phone)
  await useDesktopFeed(desk, phone)
  await commentAndShare(desk, phone)
  await useProfiles(desk, phone)
  await chat(desk, phone)
  await breakConnection(desk, phone)
  await restartServer(desk, phone)
  await editAndSignOut(desk, phone)
} catch (error) {
  report.problems.push(String(error))
} finally {
  await browser.close()
}
console.log(JSON.stringify(report))
process.exit(0)
