import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

// compressed writes each script and style a second and third time, as small as can be: the server only picks.
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    writeBundle({ dir = '' }) {
      const assets = join(dir, 'assets')
      for (const name of readdirSync(assets).filter((name) => /\.(js|css)$/.test(name))) {
        const text = readFileSync(join(assets, name))
        writeFileSync(join(assets, name + '.gz'), gzipSync(text, { level: 9 }))
        writeFileSync(join(assets, name + '.br'), brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }))
      }
    },
  }
}

export default defineConfig({
  plugins: [react(), compressed()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0, // the page's policy allows no data: URLs but for pictures
    modulePreload: { polyfill: false },
    license: false,
  },
  server: {
    // make dev: the page from here, everything else from a server on its usual address.
    proxy: { '/graphql': { target: 'http://127.0.0.1:8080', ws: true }, '/session': 'http://127.0.0.1:8080', '/media': 'http://127.0.0.1:8080' },
  },
})
