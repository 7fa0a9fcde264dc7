import * as autodiff from "@hessia/autodiff";
import { gradientVmapLaw } from "@hessia/core/testing";
import { overRegistry } from "./registry.js";

overRegistry("vmap of gradients equals a loop", (p) => gradientVmapLaw(p, autodiff), 85);
