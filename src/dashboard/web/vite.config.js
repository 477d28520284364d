import { defineConfig } from 'vite';

// The page is built into dist/web, which the dashboard's server reads; nothing of it is committed.
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  logLevel: 'warn',
  build: {
    outDir: '../../../dist/web',
    emptyOutDir: true,
    target: 'es2022',
    // three.js is one large chunk that loads while the rest of the page is there already.
    chunkSizeWarningLimit: 1000,
  },
});
