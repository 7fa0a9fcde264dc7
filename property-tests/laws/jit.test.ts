import { jitLaw } from "@hessia/core/testing";
import { overRegistry } from "./registry.js";

overRegistry("jit equals eager", (p) => jitLaw(p), 110);
