// SPDX-License-Identifier: Apache-2.0
import { mount } from "svelte";
import App from "./App.svelte";
import "./app.css";
import { speakOfValidity } from "./lib/validity";

speakOfValidity();
mount(App, { target: document.getElementById("app")! });
