pub mod embedding;
pub mod sentiment;
pub mod text_encoder;
