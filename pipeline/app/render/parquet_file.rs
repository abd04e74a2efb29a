//! Parquet files with the columns of the CSV tables, written in row groups so that memory stays bounded.

use std::fs::File;
use std::sync::Arc;

use anyhow::Result;
use callmark_core::table::{Cell, CellType, Heading};
use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::Type;

/// Rows of a row group.
const GROUP_ROWS: usize = 65_536;

/// One file. Text is a UTF-8 string, whole numbers INT64, decimals DOUBLE (the nearest to their thousandths), truths BOOLEAN; an empty cell is null.
pub struct ParquetFile {
    columns: Vec<Heading>,
    /// By column.
    cells: Vec<Vec<Cell>>,
    writer: SerializedFileWriter<File>,
}

impl ParquetFile {
    pub fn create(file: File, table: &str, columns: Vec<Heading>) -> Result<ParquetFile> {
        let field = |column: &Heading| {
            let (physical, logical) = match column.cell_type {
                CellType::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
                CellType::Whole => (Physical::INT64, None),
                CellType::Thousandths => (Physical::DOUBLE, None),
                CellType::Truth => (Physical::BOOLEAN, None),
            };
            let field = Type::primitive_type_builder(column.name, physical);
            Ok(Arc::new(field.with_repetition(Repetition::OPTIONAL).with_logical_type(logical).build()?))
        };
        let fields = columns.iter().map(field).collect::<Result<_>>()?;
        let schema = Arc::new(Type::group_type_builder(table).with_fields(fields).build()?);
        let properties = Arc::new(WriterProperties::builder().set_compression(Compression::SNAPPY).build());
        let writer = SerializedFileWriter::new(file, schema, properties)?;
        Ok(ParquetFile { cells: columns.iter().map(|_| Vec::new()).collect(), columns, writer })
    }

    /// Adds a row.
    pub fn add(&mut self, row: Vec<Cell>) -> Result<()> {
        self.cells.iter_mut().zip(row).for_each(|(cells, cell)| cells.push(cell));
        if self.cells.first().is_some_and(|cells| cells.len() >= GROUP_ROWS) { self.write_group() } else { Ok(()) }
    }

    pub fn finish(mut self) -> Result<()> {
        self.write_group()?;
        self.writer.close()?;
        Ok(())
    }

    fn write_group(&mut self) -> Result<()> {
        if self.cells.iter().all(Vec::is_empty) {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        for (column, cells) in self.columns.iter().zip(&mut self.cells) {
            let Some(mut writer) = group.next_column()? else { break };
            let cells = std::mem::take(cells);
            match column.cell_type {
                CellType::Text => write::<ByteArrayType>(&mut writer, &cells, |cell| match cell {
                    Cell::Text(text) => Some(ByteArray::from(text.as_str())),
                    _ => None,
                })?,
                CellType::Whole => write::<Int64Type>(&mut writer, &cells, |cell| match cell {
                    Cell::Whole(number) => Some(*number),
                    _ => None,
                })?,
                CellType::Thousandths => write::<DoubleType>(&mut writer, &cells, |cell| match cell {
                    Cell::Thousandths(value) => Some(*value as f64 / 1000.0),
                    _ => None,
                })?,
                CellType::Truth => write::<BoolType>(&mut writer, &cells, |cell| match cell {
                    Cell::Truth(truth) => Some(*truth),
                    _ => None,
                })?,
            }
            writer.close()?;
        }
        group.close()?;
        Ok(())
    }
}

/// What is there, and for each cell whether it is (definition level 1).
fn write<D: DataType>(
    writer: &mut SerializedColumnWriter<'_>,
    cells: &[Cell],
    value: impl Fn(&Cell) -> Option<D::T>,
) -> Result<()> {
    let values: Vec<Option<D::T>> = cells.iter().map(value).collect();
    let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
    let values: Vec<D::T> = values.into_iter().flatten().collect();
    writer.typed::<D>().write_batch(&values, Some(&levels), None)?;
    Ok(())
}
