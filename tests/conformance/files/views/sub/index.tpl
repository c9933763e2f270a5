sub {{name}}
