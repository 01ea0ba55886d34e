from .entities import entity_scores as entity_scores
from .figures import gradient_by_time_figure as gradient_by_time_figure
from .language import format_language_report as format_language_report
from .scores import classification_scores as classification_scores
from .scores import compare as compare
from .table import format_report as format_report
from .tags import tag_report as tag_report
from .transcripts import transcript_report as transcript_report
