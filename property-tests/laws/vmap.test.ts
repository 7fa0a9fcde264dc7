import { vmapLaw } from "@hessia/core/testing";
import { overRegistry } from "./registry.js";

overRegistry("vmap equals a loop", (p) => vmapLaw(p), 110);
