// Builds the part of plotly.js that flat charts need: scatter, which its core always has, scattergl and heatmap.
import { build } from "esbuild";
import { environmentPlugin } from "esbuild-plugin-environment";
import { glsl } from "esbuild-plugin-glsl";
import css from "esbuild-plugin-inline-css";
import { createRequire } from "node:module";

const { version, license } = createRequire(import.meta.url)("plotly.js/package.json");
await build({
  stdin: {
    contents: `
      const Plotly = require("plotly.js/lib/core");
      Plotly.register([require("plotly.js/lib/scattergl"), require("plotly.js/lib/heatmap")]);
      window.Plotly = Plotly;`,
    resolveDir: ".",
  },
  outfile: `plotly-flat-${version}.min.js`,
  bundle: true, minify: true, format: "iife", target: "es2016", legalComments: "inline",
  plugins: [css(), glsl({ minify: true }), environmentPlugin({ NODE_DEBUG: false })],
  alias: { regl: "@plotly/regl", stream: "stream-browserify" },
  define: { global: "window", "define.amd": "false" },
  banner: { js: `/*! plotly.js v${version} (scatter, scattergl, heatmap). Copyright 2012-2026, Plotly, Inc. ${license} license. */` },
});
