import * as autodiff from "@hessia/autodiff";
import { thirdOrderLaw } from "@hessia/core/testing";
import { overRegistry } from "./registry.js";

overRegistry("third derivatives of elementwise functions", (p) => thirdOrderLaw(p, autodiff), 45);
