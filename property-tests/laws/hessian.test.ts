import * as autodiff from "@hessia/autodiff";
import { hessianLaw } from "@hessia/core/testing";
import { overRegistry } from "./registry.js";

overRegistry("Hessian equals differences of the gradient", (p) => hessianLaw(p, autodiff), 85);
