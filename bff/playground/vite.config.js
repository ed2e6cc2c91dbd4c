import { defineConfig } from 'vite'

export default defineConfig({
  base: '/playground/',
  worker: { format: 'es' },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0, // the page's policy allows no data: URLs but for pictures
    chunkSizeWarningLimit: 8192,
    license: false,
  },
})
