import { printLaw } from "@hessia/core/testing";
import { overRegistry } from "./registry.js";

overRegistry("print and parse", (p) => printLaw(p), 110);
