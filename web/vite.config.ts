/// <reference types="vitest/config" />
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const DIST = resolve(import.meta.dirname, "dist");
/** What a first visit may load as script and style, in gzipped bytes, with one language. */
const FIRST_LOAD_BYTES_MAX = 60_000;

/** Writes a `.br` beside every text asset, prints what a first visit costs, and fails the build over the budget. */
function weigh(): Plugin {
  return {
    name: "weigh",
    apply: "build",
    closeBundle() {
      const kB = (n: number) => (n / 1000).toFixed(1).padStart(6);
      let first = 0;
      let fonts = 0;
      const languages: number[] = [];
      for (const name of readdirSync(join(DIST, "assets")).sort()) {
        const path = join(DIST, "assets", name);
        const bytes = readFileSync(path);
        if (name.endsWith(".woff2")) {
          fonts += bytes.length;
          continue;
        }
        if (!/\.(js|css)$/.test(name)) continue;
        const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
        writeFileSync(`${path}.br`, brotliCompressSync(bytes, quality));
        const size = gzipSync(bytes, { level: 9 }).length;
        if (/^(en|km|zh)-/.test(name)) languages.push(size);
        else first += size;
      }
      first += Math.max(0, ...languages);
      console.log(`first load, gzip: ${kB(first)} kB script and style with the largest language`);
      console.log(`Khmer web font:   ${kB(fonts)} kB woff2, fetched only where Khmer is shown`);
      if (first > FIRST_LOAD_BYTES_MAX) {
        throw new Error(`first load is over its budget of ${FIRST_LOAD_BYTES_MAX} bytes: find what grew`);
      }
    },
  };
}

/** The font's licence asks to travel with the font. */
function licences(): Plugin {
  return {
    name: "licences",
    apply: "build",
    generateBundle() {
      const source = readFileSync(resolve(import.meta.dirname, "node_modules/@fontsource/noto-sans-khmer/LICENSE"));
      this.emitFile({ type: "asset", fileName: "licences/NotoSansKhmer-OFL.txt", source });
    },
  };
}

export default defineConfig({
  build: {
    target: "es2022",
    // Nothing inline: the content security policy allows only files of this origin.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: { input: { console: resolve(import.meta.dirname, "console.html") } },
  },
  plugins: [licences(), weigh()],
  server: { proxy: { "/v1": process.env["SIMWARDEN_URL"] ?? "http://localhost:8080" } },
  test: { include: ["tests/unit/**/*.test.ts"], environment: "node" },
});
