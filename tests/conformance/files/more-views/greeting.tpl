more {{name}}
